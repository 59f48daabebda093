"""Named tuples that compiled functions hand on by address.

Numba hands a tuple of arrays on whole: a problem of hundreds of numbers would be copied at every call that is not
inlined, and every copy be compiled. Behind `shared` only its address goes on; fields are read where they are used.
"""

from typing import Any

from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.imputils import impl_ret_borrowed, lower_builtin, lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, register_model, type_callable


def shared(value: Any) -> Any:
    """Return a named tuple as what goes on by address; it lives as long as the function that called this."""
    return value


def whole(value: Any) -> Any:
    """Return what `shared` was given, for loops that the compiler has to see through."""
    return value


class Shared(types.Type):
    """The address of a named tuple."""

    def __init__(self, of: Any) -> None:
        self.of = of
        super().__init__(f"Shared({of})")


@register_model(Shared)
class _Address(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of: Shared) -> None:
        super().__init__(manager, of, manager.lookup(of.of).get_value_type().as_pointer())


def _is_tuple(of: Any) -> bool:
    return hasattr(of, "instance_class") and hasattr(of, "fields")


def _field(of: Shared, name: str) -> tuple[int, types.Type]:
    at = of.of.fields.index(name)
    return at, of.of[at]


@infer_getattr
class _Fields(AttributeTemplate):  # type: ignore[misc]
    key = Shared

    def generic_resolve(self, of: Shared, name: str) -> types.Type | None:
        if name not in of.of.fields:
            return None
        field = _field(of, name)[1]
        return Shared(field) if _is_tuple(field) else field


@lower_getattr_generic(Shared)
def _read(context: Any, builder: Any, of: Shared, address: Any, name: str) -> Any:
    at, field = _field(of, name)
    place = cgutils.gep_inbounds(builder, address, 0, at)
    if _is_tuple(field):
        return place
    return impl_ret_borrowed(context, builder, field, builder.load(place))


@type_callable(shared)
def _type_shared(_: Any) -> Any:
    def typer(value: types.Type) -> types.Type:
        return Shared(value) if _is_tuple(value) else value

    return typer


@type_callable(whole)
def _type_whole(_: Any) -> Any:
    def typer(value: types.Type) -> types.Type:
        return value.of if isinstance(value, Shared) else value

    return typer


@lower_builtin(shared, types.Any)
def _share(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    if not isinstance(signature.return_type, Shared) or isinstance(signature.args[0], Shared):
        return arguments[0]
    return cgutils.alloca_once_value(builder, arguments[0])


@lower_builtin(whole, types.Any)
def _take_whole(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    if not isinstance(signature.args[0], Shared):
        return arguments[0]
    return builder.load(arguments[0])
