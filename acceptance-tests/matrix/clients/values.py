"""Values as a host of the plugin protocol has them: what a configuration lacks, what a plan proposes, and what is compared.

The codec is pyvider's, not the provider's own: what it cannot read, the provider did not write as everybody else does.
"""

import json

from pyvider.cty import CtyList, CtyMap, CtyObject, CtySet, CtyValue, parse_tf_type_to_ctytype
from pyvider.cty.codec import cty_from_msgpack, cty_to_msgpack
from pyvider.protocols.tfprotov6.protobuf import tfplugin6_pb2 as pb

SINGLE, LIST, SET, MAP = 1, 2, 3, 4


class Unknown:
    """A value that is known after the apply only."""

    def __repr__(self):
        return "(known after apply)"


UNKNOWN = Unknown()


def type_of(attributes):
    """The type of an object with these attributes of a schema."""
    return ["object", {attribute.name: type_of_attribute(attribute) for attribute in attributes}]


def type_of_attribute(attribute):
    if not attribute.HasField("nested_type"):
        return json.loads(attribute.type)
    one = type_of(attribute.nested_type.attributes)
    return {SINGLE: one, LIST: ["list", one], SET: ["set", one], MAP: ["map", one]}[attribute.nested_type.nesting]


def encode(type_, value):
    ctype = parse_tf_type_to_ctytype(type_)
    return pb.DynamicValue(msgpack=cty_to_msgpack(to_cty(ctype, value), ctype))


def decode(type_, value):
    """What was sent, which must be of that type."""
    if not value.msgpack and not value.json:
        return None
    assert value.msgpack, "it is JSON, which nothing but a state is"
    return from_cty(cty_from_msgpack(value.msgpack, parse_tf_type_to_ctytype(type_)))


def to_cty(ctype, value):
    if value is UNKNOWN:
        return CtyValue.unknown(ctype)
    if value is None:
        return CtyValue.null(ctype)
    if isinstance(ctype, CtyObject):
        assert set(value) == set(ctype.attribute_types), set(value) ^ set(ctype.attribute_types)
        return ctype.validate({name: to_cty(of, value[name]) for name, of in ctype.attribute_types.items()})
    if isinstance(ctype, CtyMap):
        return ctype.validate({key: to_cty(ctype.element_type, one) for key, one in value.items()})
    if isinstance(ctype, CtyList | CtySet):
        return ctype.validate([to_cty(ctype.element_type, one) for one in value])
    return ctype.validate(value)


def from_cty(value):
    if value.is_unknown:
        return UNKNOWN
    if value.is_null:
        return None
    if isinstance(value.type, CtyObject | CtyMap):
        return {key: from_cty(one) for key, one in value.value.items()}
    if isinstance(value.type, CtyList | CtySet):
        return [from_cty(one) for one in value]
    return value.value


def nested(attribute, value, of_object):
    """Does something with each object of a nested attribute."""
    if value is None or value is UNKNOWN:
        return value
    attributes, nesting = attribute.nested_type.attributes, attribute.nested_type.nesting
    if nesting == SINGLE:
        return of_object(attributes, value, None)
    if nesting == MAP:
        return {key: of_object(attributes, one, key) for key, one in value.items()}
    return [of_object(attributes, one, at if nesting == LIST else None) for at, one in enumerate(value)]


def configuration(attributes, given):
    """The configuration in which that is given and nothing else: all else is there too, as null."""
    assert set(given) <= {attribute.name for attribute in attributes}, given

    def one(attribute):
        value = given.get(attribute.name)
        if not attribute.HasField("nested_type"):
            return value
        return nested(attribute, value, lambda inner, it, _: configuration(inner, it))

    return {attribute.name: one(attribute) for attribute in attributes}


def proposed(attributes, prior, config):
    """The configuration, filled with the prior values of what the provider computes."""

    def one(attribute):
        value, before = config[attribute.name], None if prior is None else prior[attribute.name]
        if attribute.write_only:
            return None
        if value is None and attribute.computed:
            return UNKNOWN if prior is None else before
        if not attribute.HasField("nested_type"):
            return value
        return nested(attribute, value, lambda inner, it, at: proposed(inner, part(before, at), it))

    def part(before, at):
        if before is None or at is None:
            return before if isinstance(before, dict) else None
        if isinstance(before, dict):
            return before.get(at)
        return before[at] if at < len(before) else None

    return {attribute.name: one(attribute) for attribute in attributes}


def differences(wanted, found, path=""):
    """The paths at which something is found that was not wanted; whatever is unknown is left open."""
    if wanted is UNKNOWN:
        return []
    if isinstance(wanted, dict) and isinstance(found, dict):
        keys = sorted(set(wanted) | set(found))
        return [it for key in keys for it in differences(wanted.get(key), found.get(key), f"{path}.{key}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = enumerate(zip(wanted, found, strict=True))
        return [it for at, (one, other) in pairs for it in differences(one, other, f"{path}[{at}]")]
    return [] if wanted == found else [f"{path}: {wanted!r} became {found!r}"]


def is_known(value):
    """Whether nothing in it is unknown."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is not UNKNOWN and all(is_known(part) for part in parts)
