"""Drives the provider as a host of the plugin protocol: `host.py PROVIDER NAME`. Prints a line of JSON for each step.

Handshake, TLS, gRPC, the protocol's definition and the codec are those of tofusoup and pyvider. PLUGIN_AUTO_MTLS says
whether both sides show a certificate, DOCKER_HOST where the swarm is, and NAME is a name that nothing has.
"""

import asyncio
import json
import os
import sys

import grpc
from lives import DATA, LISTED, LIVES, VALIDATED
from pyvider.cty import cty_to_json, parse_tf_type_to_ctytype
from pyvider.protocols.tfprotov6.protobuf import tfplugin6_pb2 as pb
from tofusoup.tfplugin.driver import base_env, start_provider
from values import (
    UNKNOWN,
    configuration,
    decode,
    differences,
    encode,
    is_known,
    proposed,
    to_cty,
    type_of,
)


def fine(response):
    """The response, which must not tell of an error."""
    for diagnostic in response.diagnostics:
        assert diagnostic.severity == pb.Diagnostic.WARNING, f"{diagnostic.summary}: {diagnostic.detail}"
    return response


class Host:
    """A provider that was started, and its schema."""

    def __init__(self, provider):
        self.stub = provider.stub

    async def asks(self):
        """What a host asks before all else."""
        self.schema = fine(await self.stub.GetProviderSchema(pb.GetProviderSchema.Request()))
        self.metadata = fine(await self.stub.GetMetadata(pb.GetMetadata.Request()))
        identities = await self.stub.GetResourceIdentitySchemas(pb.GetResourceIdentitySchemas.Request())
        self.identities = fine(identities).identity_schemas
        config = self.full(self.schema.provider, {})
        fine(await self.stub.ValidateProviderConfig(pb.ValidateProviderConfig.Request(config=config)))
        request = pb.ConfigureProvider.Request(terraform_version="1.99.0", config=config)
        fine(await self.stub.ConfigureProvider(request))

    @staticmethod
    def full(schema, given):
        """The configuration of a block in which that is given."""
        attributes = schema.block.attributes
        return encode(type_of(attributes), configuration(attributes, given))

    def identity_type(self, name):
        attributes = self.identities[name].identity_attributes
        return ["object", {attribute.name: json.loads(attribute.type) for attribute in attributes}]

    async def validates(self, kind, name, given):
        """Validates a configuration of any kind of thing."""
        schema, method, request = {
            "resource": (self.schema.resource_schemas, "ValidateResourceConfig", pb.ValidateResourceConfig),
            "data": (self.schema.data_source_schemas, "ValidateDataResourceConfig", pb.ValidateDataResourceConfig),
            "ephemeral": (
                self.schema.ephemeral_resource_schemas,
                "ValidateEphemeralResourceConfig",
                pb.ValidateEphemeralResourceConfig,
            ),
            "list": (self.schema.list_resource_schemas, "ValidateListResourceConfig", pb.ValidateListResourceConfig),
            "action": (self.schema.action_schemas, "ValidateActionConfig", pb.ValidateActionConfig),
        }[kind]
        schema = schema[name].schema if kind == "action" else schema[name]
        request = request.Request(type_name=name, config=self.full(schema, given))
        return await getattr(self.stub, method)(request)


class Life:
    """A resource from its creation to its end."""

    def __init__(self, host, type_name, name):
        self.stub, self.host, self.name = host.stub, host, type_name
        self.attributes = host.schema.resource_schemas[type_name].block.attributes
        self.type = type_of(self.attributes)
        life = json.loads(json.dumps(LIVES[type_name]).replace("NAME", name))
        self.first, self.second, self.id, self.replaced = life["first"], life["second"], life["id"], life["replaced"]
        self.state, self.private, self.identity = None, b"", None

    def capable(self):
        return pb.ClientCapabilities(write_only_attributes_allowed=True)

    async def plans(self, given):
        """The plan from the present state to this configuration; to nothing without one."""
        config = None if given is None else configuration(self.attributes, given)
        request = pb.PlanResourceChange.Request(
            type_name=self.name,
            prior_state=encode(self.type, self.state),
            proposed_new_state=encode(
                self.type, None if config is None else proposed(self.attributes, self.state, config)
            ),
            config=encode(self.type, config),
            prior_private=self.private,
            client_capabilities=self.capable(),
        )
        if self.identity is not None:
            request.prior_identity.CopyFrom(self.identity)
        plan = fine(await self.stub.PlanResourceChange(request))
        planned = decode(self.type, plan.planned_state)
        if config is not None:
            wanted = {key: UNKNOWN if value is None else value for key, value in config.items()}
            self.same(narrowed(wanted), planned)
        return plan, planned

    @staticmethod
    def same(wanted, found):
        differing = differences(wanted, found)
        assert not differing, "; ".join(differing)

    async def applies(self, given):
        """Plans and applies; what was planned is what is there then."""
        plan, planned = await self.plans(given)
        config = None if given is None else configuration(self.attributes, given)
        if plan.requires_replace and self.state is not None:
            await self.applies(None)
            return await self.applies(given)
        request = pb.ApplyResourceChange.Request(
            type_name=self.name,
            prior_state=encode(self.type, self.state),
            planned_state=plan.planned_state,
            config=encode(self.type, config),
            planned_private=plan.planned_private,
        )
        if plan.HasField("planned_identity"):
            request.planned_identity.CopyFrom(plan.planned_identity)
        applied = fine(await self.stub.ApplyResourceChange(request))
        self.state, self.private = decode(self.type, applied.new_state), applied.private
        self.identity = applied.new_identity if applied.HasField("new_identity") else None
        self.same(planned, self.state)
        assert is_known(self.state), "what was applied is not known"

    async def reads(self):
        request = pb.ReadResource.Request(
            type_name=self.name, current_state=encode(self.type, self.state), private=self.private
        )
        read = fine(await self.stub.ReadResource(request))
        return decode(self.type, read.new_state), read

    async def settled(self, given):
        """Reading finds what was applied, and there is nothing to plan."""
        found, read = await self.reads()
        self.same(self.state, found)
        identity = decode(self.host.identity_type(self.name), read.new_identity.identity_data)
        assert identity is not None and is_known(identity), "there is no identity"
        plan, planned = await self.plans(given)
        self.same(self.state, planned)
        assert not plan.requires_replace, plan.requires_replace

    async def create(self):
        fine(await self.host.validates("resource", self.name, self.first))
        await self.applies(self.first)
        await self.settled(self.first)

    async def update(self):
        plan, planned = await self.plans(self.second)
        assert differences(self.state, planned), "the change is not planned"
        replaced = sorted(path.steps[0].attribute_name for path in plan.requires_replace)
        assert replaced == self.replaced, replaced
        await self.applies(self.second)
        await self.settled(self.second)

    async def upgrade(self):
        """A state from a file is the same state."""
        ctype = parse_tf_type_to_ctytype(self.type)
        raw = cty_to_json(to_cty(ctype, self.state), ctype)
        version = self.host.schema.resource_schemas[self.name].version
        request = pb.UpgradeResourceState.Request(
            type_name=self.name, version=version, raw_state=pb.RawState(json=raw)
        )
        upgraded = fine(await self.stub.UpgradeResourceState(request))
        self.same(self.state, decode(self.type, upgraded.upgraded_state))

    async def imported(self):
        """An import by ID and one by identity lead to the object."""
        identity = (await self.reads())[1].new_identity
        for by in ({"id": self.id}, {"identity": identity}):
            request = pb.ImportResourceState.Request(type_name=self.name, **by)
            response = fine(await self.stub.ImportResourceState(request))
            (one,) = response.imported_resources
            request = pb.ReadResource.Request(
                type_name=self.name, current_state=one.state, private=one.private, current_identity=one.identity
            )
            read = fine(await self.stub.ReadResource(request))
            found = decode(self.type, read.new_state)
            assert found["id"] == self.state["id"], found
            assert read.new_identity == identity

    async def destroy(self):
        await self.applies(None)
        assert self.state is None, self.state

    steps = ("create", "update", "upgrade", "imported", "destroy")


def narrowed(config):
    """What a configuration says of a plan: null in an object may still be filled in by the provider."""
    if isinstance(config, dict):
        return {key: UNKNOWN if value is None else narrowed(value) for key, value in config.items()}
    return [narrowed(one) for one in config] if isinstance(config, list) else config


async def reads_data(host, name, given):
    schema = host.schema.data_source_schemas[name]
    fine(await host.validates("data", name, given))
    request = pb.ReadDataSource.Request(type_name=name, config=host.full(schema, given))
    state = decode(type_of(schema.block.attributes), fine(await host.stub.ReadDataSource(request)).state)
    assert is_known(state), state
    assert not differences({**state, **given}, state), state


async def lists(host, name):
    """Everything of a type, each with its identity and what it is."""
    schema, resource = host.schema.list_resource_schemas[name], host.schema.resource_schemas[name]
    request = pb.ListResource.Request(
        type_name=name, config=host.full(schema, {}), include_resource_object=True, limit=100
    )
    count = 0
    async for event in host.stub.ListResource(request):
        assert not event.diagnostic, event.diagnostic
        identity = decode(host.identity_type(name), event.identity.identity_data)
        found = decode(type_of(resource.block.attributes), event.resource_object)
        assert event.display_name and is_known(identity) and is_known(found), event
        count += 1
    assert count > 0, "nothing was found"


async def opens(host, name, given):
    """An ephemeral resource is opened and closed."""
    schema = host.schema.ephemeral_resource_schemas[name]
    request = pb.OpenEphemeralResource.Request(type_name=name, config=host.full(schema, given))
    opened = fine(await host.stub.OpenEphemeralResource(request))
    assert is_known(decode(type_of(schema.block.attributes), opened.result))
    fine(await host.stub.CloseEphemeralResource(pb.CloseEphemeralResource.Request(type_name=name)))


async def invokes(host, name, given):
    schema = host.schema.action_schemas[name].schema
    config = host.full(schema, given)
    fine(await host.stub.PlanAction(pb.PlanAction.Request(action_type=name, config=config)))
    events = host.stub.InvokeAction(pb.InvokeAction.Request(action_type=name, config=config))
    kinds = [(event.WhichOneof("type"), event) async for event in events]
    assert [kind for kind, _ in kinds].count("completed") == 1 and kinds[-1][0] == "completed", kinds
    fine(kinds[-1][1].completed)


async def calls(host, name, arguments):
    function = host.schema.functions[name]
    types = [json.loads(parameter.type) for parameter in function.parameters]
    packed = [encode(type_, value) for type_, value in zip(types, arguments, strict=True)]
    called = await host.stub.CallFunction(pb.CallFunction.Request(name=name, arguments=packed))
    assert not called.HasField("error"), called.error
    result = decode(json.loads(getattr(function, "return").type), called.result)
    assert is_known(result) and result is not None
    wrong = await host.stub.CallFunction(pb.CallFunction.Request(name=name, arguments=packed[:-1] + [packed[-1]] * 3))
    assert wrong.HasField("error"), "arguments too many are no error"


async def asks_for_what_is_not_there(host):
    """Something that the provider does not have is an error in words, and the provider lives on."""
    for method, request in (
        ("ReadResource", pb.ReadResource.Request(type_name="swarm_nonsense")),
        ("ReadDataSource", pb.ReadDataSource.Request(type_name="swarm_nonsense")),
        ("PlanResourceChange", pb.PlanResourceChange.Request(type_name="swarm_nonsense")),
    ):
        response = await getattr(host.stub, method)(request)
        assert any("swarm_nonsense" in it.summary + it.detail for it in response.diagnostics), response
    broken = pb.ValidateResourceConfig.Request(type_name="swarm_secret", config=pb.DynamicValue(msgpack=b"\xc1"))
    response = await host.stub.ValidateResourceConfig(broken)
    assert any(it.severity == pb.Diagnostic.ERROR for it in response.diagnostics), response


async def each_type_is_validated(host):
    """Everything in the schema has a configuration here, and that is valid."""
    for kind, schemas in (
        ("resource", host.schema.resource_schemas),
        ("data", host.schema.data_source_schemas),
        ("ephemeral", host.schema.ephemeral_resource_schemas),
        ("list", host.schema.list_resource_schemas),
        ("action", host.schema.action_schemas),
    ):
        for name in schemas:
            given = LIVES[name]["first"] if kind == "resource" and name in LIVES else VALIDATED[kind].get(name)
            if given is None and kind == "data":
                given = DATA[name]
            assert given is not None or kind in ("ephemeral", "list"), f"{kind} {name}"
            try:
                fine(await host.validates(kind, name, given or {}))
            except AssertionError as error:
                raise AssertionError(f"{kind} {name}: {error}") from error
    names = {one.type_name for one in host.metadata.resources}
    assert names == set(host.schema.resource_schemas), names


async def drives(provider, name):
    async def step(row, body):
        why = ""
        try:
            await body
        except Exception as error:  # noqa: BLE001
            why = f"{type(error).__name__}: {error}"
        print(json.dumps({"row": row, "why": why}), flush=True)
        return not why

    host = Host(provider)
    if not await step("it is asked for its schema and configured", host.asks()):
        return
    await step("each type is validated", each_type_is_validated(host))
    for type_name in LIVES:
        life = Life(host, type_name, name)
        for one in life.steps:
            if one == "imported" and type_name in LISTED:
                await step(f"{type_name}: list", lists(host, type_name))
            if not await step(f"{type_name}: {one}", getattr(life, one)()):
                break
    for data, given in DATA.items():
        await step(f"data {data}", reads_data(host, data, given))
    for ephemeral in host.schema.ephemeral_resource_schemas:
        if ephemeral == "swarm_join_token":
            await step(f"ephemeral {ephemeral}", opens(host, ephemeral, {"role": "worker"}))
    await step("action swarm_cluster_rotate", invokes(host, "swarm_cluster_rotate", {"worker_token": True}))
    for function, arguments in (
        ("image_reference", ["hub.docker.local:5000/team/app:1.4"]),
        ("htpasswd", [{"ci": "secret"}, "hub"]),
        ("registry_auth", ["ci", "secret", "hub.docker.local"]),
    ):
        await step(f"function {function}", calls(host, function, arguments))
    await step("what is not there is an error", asks_for_what_is_not_there(host))
    fine_stop = await host.stub.StopProvider(pb.StopProvider.Request())
    assert not getattr(fine_stop, "Error", ""), fine_stop


def says_localhost():
    """Has gRPC name the provider as Terraform does. By itself its core names a Unix socket by its path, percent-encoded,
    which is a host by the letter of RFC 3986 and none to the provider's HTTP library; with TLS it says `localhost`."""
    insecure = grpc.aio.insecure_channel

    def channel(target, options=None, **more):
        return insecure(target, options=[*(options or ()), ("grpc.default_authority", "localhost")], **more)

    grpc.aio.insecure_channel = channel


async def main():
    says_localhost()
    binary, name = sys.argv[1:]
    provider = await start_provider(binary, env=base_env({"DOCKER_HOST": os.environ["DOCKER_HOST"]}))
    try:
        await drives(provider, name)
    finally:
        await provider.stop()


asyncio.run(main())
