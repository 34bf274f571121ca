// What all modules draw with: Preact, signals, and HTML in template strings.
import { h, render, Component, Fragment } from 'preact';
import htm from 'htm';

export { render, Component, Fragment };
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
export { signal, computed, effect, batch, useSignal, useComputed } from '@preact/signals';

export const html = htm.bind(h);
