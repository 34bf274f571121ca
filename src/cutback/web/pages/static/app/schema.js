// What requests may say, as the API describes it: the edits and formats that there are, and their fields.
import { ask } from './api.js';

/**
 * A field of an edit or of an output. `kind` is how it is filled in.
 * @typedef {{name: string, label: string, help: string, required: boolean, value: any, kind: 'switch' | 'choice' | 'number' | 'seconds' | 'point' | 'measure' | 'colour' | 'place' | 'size' | 'text' | 'list', options: string[], min?: number, max?: number, whole?: boolean}} Field
 */
/** @typedef {{kind: string, name: string, help: string, stage: number, repeats: boolean, contradicts: string[], fields: Field[]}} Kind */
/** @typedef {{format: string, help: string, fields: Field[]}} Format */
/** @typedef {{name: string, own: boolean, edits: any[], output: Record<string, any>}} Preset */
/** @typedef {{kinds: Map<string, Kind>, formats: Map<string, Format>, presets: Preset[]}} Offers */

/** @type {Promise<Offers> | null} */
let reading = null;

/** What the API offers; read once. @returns {Promise<Offers>} */
export function offers() {
  if (!reading) {
    reading = Promise.all([ask('/openapi.json'), ask('/presets')]).then(([document, presets]) => offersOf(document, presets.items));
    reading.catch(() => (reading = null));
  }
  return reading;
}

/** @param {any} document @param {Preset[]} presets @returns {Offers} */
export function offersOf(document, presets) {
  const schemas = document.components.schemas;
  const named = (/** @type {any} */ schema) => (schema.$ref ? schemas[schema.$ref.split('/').at(-1)] : schema);
  const request = schemas.ClipRequest.properties;
  const kinds = request.edits.items.oneOf.map(named).map((/** @type {any} */ schema) => {
    const kind = schema.properties.edit.const;
    return { kind, name: titled(kind), help: schema.description || '', stage: schema['x-stage'].number, repeats: schema['x-repeats'], contradicts: schema['x-contradicts'], fields: fieldsOf(schema, named, UNSEEN.edit) };
  });
  const formats = request.output.oneOf.map(named).map((/** @type {any} */ schema) => ({ format: schema.properties.format.const, help: schema.description || '', fields: fieldsOf(schema, named, UNSEEN.output) }));
  return {
    kinds: new Map(kinds.map((/** @type {Kind} */ each) => [each.kind, each])),
    formats: new Map(formats.map((/** @type {Format} */ each) => [each.format, each])),
    presets,
  };
}

/** `sound_fade` as people write it. @param {string} name */
const titled = (name) => {
  const text = name.replaceAll('_', ' ').replaceAll('-', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** Fields that the page fills in elsewhere. */
const UNSEEN = { edit: ['edit'], output: ['format', 'container', 'name', 'preset'] };

/** @param {any} schema @param {(schema: any) => any} named @param {string[]} unseen @returns {Field[]} */
function fieldsOf(schema, named, unseen) {
  const required = new Set(schema.required || []);
  return Object.entries(schema.properties).filter(([name, each]) => !unseen.includes(name) && each.const === undefined).map(([name, each]) => {
    const choices = flat(each, named);
    const of = (/** @type {string} */ type) => choices.find((choice) => choice.type === type);
    const whole = of('integer');
    const number = of('number') || whole;
    const text = of('string');
    const options = choices.flatMap((choice) => choice.enum || []).map(String);
    const field = { name, label: titled(name), help: each.description || '', required: required.has(name), value: startOf(each.default), options, min: number?.minimum, max: number?.maximum, whole: Boolean(whole) };
    return /** @type {Field} */ ({ ...field, kind: kindOf({ choices, options, text, number, whole }) });
  });
}

/** @param {{choices: any[], options: string[], text: any, number: any, whole: any}} found @returns {Field['kind']} */
function kindOf({ choices, options, text, number, whole }) {
  const pattern = String(text?.pattern || '');
  if (choices.some((each) => each.type === 'array')) return 'list';
  if (choices.some((each) => each.type === 'boolean')) return 'switch';
  if (options.includes('top-left')) return 'place';
  if (options.length) return 'choice';
  if (choices.some((each) => each.properties?.finished)) return 'point';
  if (pattern.includes('%')) return 'measure';
  if (pattern.includes('hms')) return 'seconds';
  if (pattern.startsWith('^#')) return 'colour';
  if (whole && text) return 'size';
  return number ? 'number' : 'text';
}

/** The alternatives of a schema, without null. @param {any} schema @param {(schema: any) => any} named @returns {any[]} */
function flat(schema, named) {
  const found = named(schema);
  if (found.anyOf) return found.anyOf.flatMap((/** @type {any} */ each) => flat(each, named));
  return found.type === 'null' ? [] : [found];
}

/** A default as requests write it. @param {any} value */
const startOf = (value) => (value?.percent !== undefined ? `${value.percent}%` : (value ?? null));
