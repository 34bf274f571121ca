"""What every Registry must do. Subclass `RegistryContract`, give it a `factory` fixture, and it is tested."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest
from tests.contract.racing import in_threads

from cutback.ports import Document, Registry, every_document

CONTENT = {"name": "Pipe Öst", "prefixes": ["a/", "$b.c"], "limits": {"a.b": 1, "$x": None}, "on": True}


class RegistryFactory(ABC):
    """Opens the same registry again and again."""

    @abstractmethod
    def open(self) -> Registry:
        """The registry, as one more user of it."""


def put(registry: Registry, kind: str = "key", id: str = "one", owner: str = "") -> Document:  # noqa: A002
    stored = registry.put_new(kind, id, CONTENT, owner=owner)
    assert stored is not None
    return stored


class RegistryContract:
    """The tests."""

    def test_what_is_stored_is_read_back_by_another_user(self, factory: RegistryFactory) -> None:
        stored = put(factory.open(), owner="pipe")
        assert (stored.kind, stored.id, stored.owner, stored.content) == ("key", "one", "pipe", CONTENT)
        assert stored == factory.open().get("key", "one")

    def test_what_is_not_there_is_none(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        put(registry)
        assert registry.get("key", "two") is None
        assert registry.get("share", "one") is None
        assert registry.get("ke", "y/one") is None

    def test_an_id_is_taken_once_a_kind(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        first = put(registry, owner="pipe")
        assert registry.put_new("key", "one", {"other": 1}, owner="jaws") is None
        assert first == registry.get("key", "one")
        assert put(registry, "share").kind == "share"

    @pytest.mark.parametrize("id", ["a/b", "a b", "ö", "0", "~", "a.b$c"])
    def test_ids_may_be_any_text(self, factory: RegistryFactory, id: str) -> None:  # noqa: A002
        registry = factory.open()
        stored = put(registry, id=id)
        assert stored == registry.get("key", id)
        assert [stored] == list(registry.list("key").documents)

    def test_a_replacement_is_seen_by_all_and_keeps_the_owner(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        first = put(registry, owner="pipe")
        second = registry.replace(first, {"name": "new"})
        assert second is not None
        assert (second.content, second.owner) == ({"name": "new"}, "pipe")
        assert second.revision != first.revision
        assert second == factory.open().get("key", "one")
        assert [second] == list(registry.list("key", owner="pipe").documents)

    def test_an_outdated_revision_changes_nothing(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        first = put(registry)
        second = registry.replace(first, {"name": "second"})
        assert registry.replace(first, {"name": "third"}) is None
        assert not registry.remove(first)
        assert second == registry.get("key", "one")

    def test_a_removed_document_is_gone(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        first = put(registry)
        other = put(registry, id="other")
        assert registry.remove(first)
        assert registry.get("key", "one") is None
        assert not registry.remove(first)
        assert registry.replace(first, {"name": "back"}) is None
        assert [other] == list(registry.list("key").documents)

    def test_a_document_that_was_removed_and_made_again_has_another_revision(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        first = put(registry)
        assert registry.remove(first)
        again = put(registry)
        assert not registry.remove(first)
        assert again == registry.get("key", "one")

    def test_a_list_has_one_kind_by_id(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        for id in ("b", "a", "ö", "Z"):  # noqa: A001
            put(registry, id=id)
        put(registry, "key_", "a")
        put(registry, "kex", "a")
        assert [each.id for each in registry.list("key").documents] == ["Z", "a", "b", "ö"]

    def test_a_list_of_an_owner_has_only_his_own(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        for number in range(6):
            put(registry, id=f"id-{number}", owner=("", "pipe", "jaws")[number % 3])
        put(registry, "share", "s", "pipe")
        assert [each.id for each in registry.list("key", owner="pipe").documents] == ["id-1", "id-4"]
        assert [each.id for each in registry.list("key", owner="").documents] == ["id-0", "id-3"]
        assert not registry.list("key", owner="pip").documents

    @pytest.mark.parametrize("owner", [None, "pipe"])
    def test_pages_have_everything_once_even_if_something_is_added_or_removed(
        self, factory: RegistryFactory, owner: str | None
    ) -> None:
        registry = factory.open()
        for number in range(7):
            put(registry, id=f"id-{number}", owner="pipe")
        first = registry.list("key", owner=owner, limit=3)
        assert [each.id for each in first.documents] == ["id-0", "id-1", "id-2"]
        put(registry, id="id-00", owner="pipe")
        assert registry.remove(first.documents[2])
        second = registry.list("key", owner=owner, limit=4, cursor=first.next_cursor)
        assert [each.id for each in second.documents] == ["id-3", "id-4", "id-5", "id-6"]
        assert second.next_cursor is None

    def test_all_pages_are_gone_through_while_documents_are_removed(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        for number in range(7):
            put(registry, id=f"id-{number}", owner="pipe")
        put(registry, id="other", owner="jaws")
        seen = []
        for document in every_document(registry, "key", owner="pipe", page_size=3):
            seen.append(document.id)
            assert registry.remove(document)
        assert seen == [f"id-{number}" for number in range(7)]
        assert [each.id for each in every_document(registry, "key")] == ["other"]

    def test_a_foreign_cursor_and_a_limit_below_one_are_refused(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        with pytest.raises(ValueError, match="cursor"):
            registry.list("key", cursor="nonsense")
        with pytest.raises(ValueError, match="limit"):
            registry.list("key", limit=0)

    def test_of_many_that_put_the_same_id_one_succeeds(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        stored = [each for each in in_threads(8, lambda _: registry.put_new("key", "one", {})) if each]
        assert [registry.get("key", "one")] == stored

    def test_of_many_that_replace_the_same_revision_one_succeeds(self, factory: RegistryFactory) -> None:
        registry = factory.open()
        first = put(registry)
        done = [each for each in in_threads(8, lambda number: registry.replace(first, {"n": number})) if each]
        assert [registry.get("key", "one")] == done
