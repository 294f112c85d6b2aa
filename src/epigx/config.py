"""Configuration: frozen pydantic models that refuse unknown keys, are saved as YAML, and load back equal.

A recipe (:mod:`epigx.recipes`) is a function that returns a complete configuration; YAML is only its saved form, and
``--set objective.alpha=0.1`` is :meth:`Config.override`. A class that can be chosen among several (a backbone, an
objective) derives from :class:`Kind`; its ``kind`` field says which it is, so adding one is adding a class.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import reduce
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_serializer, model_validator
from pydantic_core import ErrorDetails

from epigx.errors import ConfigError, did_you_mean

__all__ = ["Config", "Kind", "first_problem", "load_plugin", "not_yaml", "read_yaml"]


class Config(BaseModel):
    """A frozen group of settings.

    Equality is by value; unknown keys raise :class:`~epigx.errors.ConfigError` with the nearest known key.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True
    )

    @classmethod
    def parse(cls, values: object, *, source: str = "") -> Self:
        """Validate plain values (as YAML gives them).

        Parameters
        ----------
        values : object
            A mapping of field names to plain values.
        source : str
            Where the values come from, for the error message (a file name).

        Raises
        ------
        ConfigError
            A key is unknown (with "did you mean"), a value has the wrong type or is out of range.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _refusal(source, error, cls) from None

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a configuration from a YAML file.

        Raises
        ------
        ConfigError
            The file is missing, is not YAML, or does not validate.
        """
        path = Path(path)
        try:
            values = read_yaml(path.read_text())
        except FileNotFoundError:
            raise ConfigError(f"{path} does not exist. Give the path of a YAML configuration.") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ConfigError(not_yaml(path, error)) from None
        return cls.parse(values, source=str(path))

    def dump(self) -> str:
        """Return the configuration as YAML; ``Config.parse(yaml.safe_load(c.dump())) == c``."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    def override(self, *assignments: str, typed: Mapping[str, str] | None = None) -> Self:
        """Return a copy with some values replaced.

        A new ``kind`` brings its own settings, at their defaults: ``objective.kind=regression``.

        Parameters
        ----------
        *assignments : str
            ``"dotted.key=value"``; the value is read as YAML (``0.1``, ``true``, ``[dnase, hic]``, ``null``).
        typed : mapping of str to str, optional
            Options that the user typed in place of ``--set``, such as ``{"training.steps=0": "--steps 0"}``.

        Raises
        ------
        ConfigError
            An assignment has no ``=``, names an unknown key, or gives a value that does not validate; the message names
            the assignments concerned.
        """
        values: dict[str, Any] = self.model_dump(mode="json")
        said: dict[str, str] = {}
        for assignment in assignments:
            key, equals, text = assignment.partition("=")
            if not equals or not key:
                raise ConfigError(f"--set {assignment!r} is not of the form key=value, such as training.seed=2.")
            try:
                value = yaml.safe_load(text)
            except yaml.YAMLError:
                raise ConfigError(f"--set {assignment!r}: {text!r} is not a YAML value.") from None
            key = key.strip()
            said[key] = (typed or {}).get(assignment, f"--set {assignment}")
            *parents, last = key.split(".")
            owner = reduce(lambda level, part: _step(level, part, key), parents, values)
            _check_known(owner, last, key)
            owner[last] = _change_kind(reduce(getattr, parents, self), owner, value) if last == "kind" else value
        try:
            return type(self).model_validate(values)
        except ValidationError as error:
            raise _refusal(_about(_first(error), said), error, type(self)) from None


class Kind(Config):
    """A configuration class with siblings, chosen by the value of its ``kind`` field.

    A family is a direct subclass of :class:`Kind` (``class Backbone(Kind)``), a member a subclass of the family with
    ``kind: Literal["caduceus"] = "caduceus"``. A field typed with the family accepts any member, and plain values
    become the member that their ``kind`` names.

    A member is found when its class was imported, when the family's ``builtin`` names its module, or when an installed
    package registers it as an entry point of the family's ``group``. Modules of the last two are imported on first use,
    so that a command loads only the members that it needs.
    """

    builtin: ClassVar[Mapping[str, str]] = {}
    """Members of a family by name, as ``"module:Class"``; imported on first use."""
    group: ClassVar[str] = ""
    """Entry point group of a family, such as ``epigx.backbones``."""
    renamed: ClassVar[Mapping[str, str]] = {}
    """Former names of a family's members, which older configurations may use."""

    @classmethod
    def members(cls) -> dict[str, type[Self]]:
        """Return the imported classes of the family by the name that their ``kind`` field holds."""
        found: dict[str, type[Self]] = {}
        pending = [cls]
        while pending:
            member = pending.pop()
            pending.extend(member.__subclasses__())
            field = member.model_fields.get("kind")
            for name in get_args(field.annotation) if field else ():
                found[name] = member
        return found

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all members, imported or not."""
        plugins = entry_points(group=cls.group).names if cls.group else ()
        return sorted({*cls.members(), *cls.builtin, *plugins})

    @classmethod
    def find(cls, name: str) -> type[Self] | None:
        """Return the member of that name, imported if need be; None if there is none.

        Raises
        ------
        ConfigError
            An installed package registers the name, and its class cannot be imported or has another ``kind``.
        """
        if name in (members := cls.members()):
            return members[name]
        if name in cls.builtin:
            module, _, attribute = cls.builtin[name].partition(":")
            member: type[Self] = getattr(import_module(module), attribute)
            return member
        for plugin in entry_points(group=cls.group, name=name) if cls.group else ():
            load_plugin(plugin)
            if name not in cls.members():
                raise ConfigError(
                    f"The plug-in {plugin.value!r} ({cls.group}) defines no {cls.__name__.lower()} of kind {name!r}. "
                    "Fix or uninstall its package."
                )
            return cls.members()[name]
        return None

    @model_validator(mode="wrap")
    @classmethod
    def _choose_member(cls, values: Any, handler: Any) -> Any:
        if not isinstance(values, dict) or ("kind" not in values and "kind" in cls.model_fields):
            return handler(values)
        name = values.get("kind")
        if isinstance(name, str) and name in cls.renamed:
            name = cls.renamed[name]
            values = {**values, "kind": name}
        member = cls.find(name) if isinstance(name, str) else None
        if member is None:
            raise ValueError(f"unknown {cls.__name__.lower()} {name!r}.{did_you_mean(str(name), cls.names())}")
        return handler(values) if member is cls else member.model_validate(values)

    @model_serializer(mode="wrap")
    def _dump_member(self, handler: Any, info: Any) -> dict[str, Any]:
        # A field typed with the family would otherwise be written with only the family's fields.
        if set(values := handler(self)) == set(type(self).model_fields):
            return dict(values)
        return self.model_dump(mode=info.mode)


def load_plugin(plugin: EntryPoint) -> Any:
    """Import what an installed package registers."""
    try:
        return plugin.load()
    except Exception as error:
        raise ConfigError(
            f"The plug-in {plugin.value!r} ({plugin.group}) cannot be imported: {type(error).__name__}: {error}. "
            "Fix or uninstall its package."
        ) from error


def not_yaml(path: Path, error: yaml.YAMLError | UnicodeDecodeError) -> str:
    """Return a sentence that says where a file stops being YAML."""
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    reason = getattr(error, "problem", None) or " ".join(str(error).split())
    return f"{path} is not valid YAML: {where}{reason}."


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a repeated key is an error; by default the last one wins silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping after checking its keys."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                problem = f"the key {key.value!r} is repeated"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """Read YAML of plain values; a repeated key is an error.

    Examples
    --------
    >>> read_yaml("a: 1")
    {'a': 1}
    """
    return yaml.load(text, _StrictLoader)  # a SafeLoader: plain values only


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the first problem of a validation as one sentence, with the nearest known key for an unknown one."""
    problem = _first(error)
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r}.{did_you_mean(str(problem['loc'][-1]), _known_keys(problem, model))}"
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if problem["type"] == "missing":
        return f"{key} is missing."
    value = "" if problem["type"] == "value_error" else f" (got {problem['input']!r})"
    ending = "" if message.endswith("?") else "."
    return f"{key}: {message}{value}{ending}" if key else f"{message}{value}{ending}"


def _refusal(source: str, error: ValidationError, model: type[BaseModel]) -> ConfigError:
    return ConfigError((f"{source}: " if source else "") + first_problem(error, model))


def _first(error: ValidationError) -> ErrorDetails:
    problems = error.errors(include_url=False)
    # A mistyped key is also a missing one: the unknown key is the cause.
    return next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])


def _about(problem: ErrorDetails, said: Mapping[str, str]) -> str:
    """Return what the user typed for the keys that a problem concerns, or for keys above and below it."""
    location = [str(part) for part in problem["loc"]]
    paths = {key: key.split(".") for key in said}
    near = [said[key] for key, path in paths.items() if all(a == b for a, b in zip(path, location, strict=False))]
    return " ".join(dict.fromkeys(near or said.values()))


def _known_keys(problem: ErrorDetails, model: type[BaseModel]) -> set[str]:
    """Return the keys allowed in place of an unknown key: the fields that its path leads to, of any kind."""
    owners: list[type[BaseModel]] = [model]
    for part in problem["loc"][:-1]:
        owners = [
            kind
            for owner in owners
            if (field := owner.model_fields.get(str(part)))
            for annotation in (field.annotation, *get_args(field.annotation))
            if isinstance(annotation, type) and issubclass(annotation, BaseModel)
            for kind in (annotation, *(annotation.members().values() if issubclass(annotation, Kind) else ()))
        ] or owners
    return {name for owner in owners for name in owner.model_fields}


def _change_kind(chosen: Any, values: dict[str, Any], name: Any) -> Any:
    """Replace the values of the chosen member by the defaults of the member ``name``; return its present name."""
    family: Any = next((base for base in type(chosen).__mro__ if Kind in base.__bases__), None)
    if family is None or not isinstance(name, str):
        return name  # validation says what is wrong
    name = family.renamed.get(name, name)
    member = None if name == values["kind"] else family.find(name)
    if member is not None:
        values.clear()
        for field, info in member.model_fields.items():
            if not info.is_required():
                default = info.get_default(call_default_factory=True)
                values[field] = default.model_dump(mode="json") if isinstance(default, BaseModel) else default
    return name


def _step(level: Any, part: str, key: str) -> Any:
    _check_known(level, part, key)
    return level[part]


def _check_known(level: Any, part: str, key: str) -> None:
    if level is None:
        whole = key.rpartition(f".{part}")[0]
        raise ConfigError(f"--set {key}: {whole} is not set. Set all of it at once: --set '{whole}={{{part}: …, …}}'.")
    if not isinstance(level, dict):
        raise ConfigError(f"--set {key}: there is nothing below {key.rpartition('.')[0]!r}.")
    if part not in level:
        raise ConfigError(f"--set {key}: unknown key {part!r}.{did_you_mean(part, level)}")
