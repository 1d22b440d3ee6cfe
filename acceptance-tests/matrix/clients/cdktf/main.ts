// A program that describes what the provider makes, by the classes that CDK for Terraform has generated from the schema.
import { App, TerraformOutput, TerraformStack } from "cdktf";
import { Config } from "./.gen/providers/swarm/config";
import { DataSwarmService } from "./.gen/providers/swarm/data-swarm-service";
import { Network } from "./.gen/providers/swarm/network";
import { NodeLabel } from "./.gen/providers/swarm/node-label";
import { RegistryServiceA } from "./.gen/providers/swarm/registry-service";
import { Secret } from "./.gen/providers/swarm/secret";
import { Service } from "./.gen/providers/swarm/service";
import { SwarmProvider } from "./.gen/providers/swarm/provider";
import { Volume } from "./.gen/providers/swarm/volume";

const name = process.env.NAME!;
const stack = new TerraformStack(new App(), "it");
new SwarmProvider(stack, "swarm");

const label = new NodeLabel(stack, "label", { nodeAttribute: "hubworker01", key: name, value: "true" });
const secret = new Secret(stack, "secret", { name, data: "x", labels: { a: "1" } });
const config = new Config(stack, "config", { name, data: "one" });
const network = new Network(stack, "network", {
  name,
  attachable: true,
  ipam: { config: [{ subnet: "10.207.0.0/24" }] },
});
const volume = new Volume(stack, "volume", {
  name,
  keepOnDestroy: false,
  engine: { host: process.env.WORKER! },
});
const service = new Service(stack, "service", {
  name,
  image: "busybox:1",
  replicas: 0,
  env: { A: "1" },
  secrets: [{ source: secret.id, target: "it" }],
  configs: [{ source: config.id, target: "/it" }],
  networks: [{ network: network.id }],
  mounts: [{ type: "volume", source: volume.name, target: "/data" }],
  placement: { constraints: [`node.labels.${label.key}==true`] },
  resources: { limits: { cpus: 0.5, memory: "64MiB" } },
  ulimits: { nofile: { soft: 10, hard: 20 } },
});
const hub = new RegistryServiceA(stack, "hub", {
  name: `${name}-hub`,
  image: "registry:2",
  replicas: 0,
  waitFor: { replicas: false },
  storage: { filesystem: { volume: `${name}-hub` }, delete: true },
});
const read = new DataSwarmService(stack, "read", { name: service.name });
new TerraformOutput(stack, "image", { value: read.image });
new TerraformOutput(stack, "preview", { value: hub.configPreview });
(stack.node.root as App).synth();
