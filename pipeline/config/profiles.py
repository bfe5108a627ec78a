"""Profiles: `profiles/NAME/params.yaml` changes parts of params.yaml, and says what a run with it needs and costs.

A mapping is merged key by key into the one that stands in its place. Everything else replaces what was there: numbers,
texts, lists, null. `!replace` before a mapping has it replace, too, so `methods: !replace {…}` leaves no other method.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.config import params, paths
from pipeline.config.params import ParamsError
from pipeline.config.section import Section, explain, nearest

ABOUT = "profile"  # the key of a profile that is none of params.yaml


class About(Section):
    """What a profile is, in words. extends: the profile that it changes further; null: params.yaml. tried: what of it
    has run, on what. memory, time, disk: each says of its figures whether they are published or estimated."""

    title: str
    extends: str | None = None
    measures: str = ""
    needs: str = ""
    memory: str = ""
    time: str = ""
    disk: str = ""
    tried: str = ""


class Replacing(dict[str, Any]):
    """A mapping that replaces the one in its place."""


class _Loader(params.Loader):
    """Knows `!replace`."""


def _replacing(loader: _Loader, node: yaml.MappingNode) -> Replacing:
    return Replacing(loader.construct_mapping(node, deep=True))


_Loader.add_constructor("!replace", _replacing)


def names() -> list[str]:
    """The profiles that there are."""
    return sorted(path.parent.name for path in paths.PROFILES.glob(f"*/{paths.PARAMS}"))


def about(name: str) -> About:
    """What a profile says of itself.

    Raises:
        ParamsError: if there is no such profile, or it says something else than `About` knows.
    """
    return _about(name, _read(name))


def with_profile(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Parameters with the changes of a profile, those that it extends first; unchecked.

    Raises:
        ParamsError: if there is no such profile, or one extends itself.
    """
    changed = dict(values)
    for own in reversed(list(_chain(name))):
        changed = merged(changed, {key: value for key, value in own.items() if key != ABOUT})
    return changed


def with_settings(values: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Parameters with `key=value` of the command line: the key with dots, the value as in YAML; a mapping replaces.

    Raises:
        ParamsError: if a setting is none, or what its key should be in is no mapping.
    """
    changed = deepcopy(dict(values))
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not (key and equals):
            raise ParamsError(f"--set {setting}: expected key=value, with dots in the key: generate.prompts.limit=4")
        try:
            assign(changed, key, yaml.safe_load(text))
        except (KeyError, yaml.YAMLError) as error:
            raise ParamsError(f"--set {setting}: {error.args[0] if error.args else error}") from None
    return changed


def assign(values: dict[str, Any], key: str, value: Any, above: str = "") -> None:
    """Set the value of a key with dots, in place; names of entries may have dots, too. above: the key of `values`.

    Raises:
        KeyError: saying what holds no such key, and what it holds.
    """
    if key in values or "." not in key:
        values[key] = value
        return
    holders = [name for name in values if key.startswith(f"{name}.")]
    if not holders:
        name, known = key.split(".")[0], list(values)
        said = f"expected one of {', '.join(known) or 'none'}"
        raise KeyError(f"{above or 'params.yaml'} has no {name!r}{nearest(name, known)}, {said}")
    name = max(holders, key=len)
    if not isinstance(values[name], dict):
        raise KeyError(f"{above}{'.' if above else ''}{name} is {values[name]!r}, which holds no keys")
    assign(values[name], key[len(name) + 1 :], value, f"{above}.{name}".lstrip("."))


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with changes; see the module."""
    return {**base, **{key: _changed(base.get(key), value) for key, value in changes.items()}}


def _changed(before: Any, value: Any) -> Any:
    if isinstance(value, Replacing):
        return _plain(value)
    if isinstance(value, Mapping):
        return merged(before if isinstance(before, Mapping) else {}, value)
    return value


def _plain(value: Any) -> Any:
    return {key: _plain(one) for key, one in value.items()} if isinstance(value, Mapping) else value


def _chain(name: str) -> Iterator[dict[str, Any]]:
    """A profile, the one that it extends, and so on."""
    seen: list[str] = []
    following: str | None = name
    while following is not None:
        if following in seen:
            raise ParamsError(f"profiles: {' extends '.join([*seen, following])}")
        seen.append(following)
        own = _read(following)
        yield own
        following = _about(following, own).extends


def _read(name: str) -> dict[str, Any]:
    if name not in names():
        raise ParamsError(f"{paths.PROFILES} has no {name!r}, expected one of {', '.join(names())}")
    return params.read(paths.PROFILES / name / paths.PARAMS, _Loader)


def _about(name: str, own: Mapping[str, Any]) -> About:
    found = own.get(ABOUT)
    try:
        return About.model_validate(found)
    except ValidationError as error:
        said = "; ".join(explain(error, found, ABOUT))
        raise ParamsError(f"{paths.PROFILES / name / paths.PARAMS}: {said}") from None
