// Takes entities as Backstage's catalog does: policies, validators of their kinds, names that are unique, references
// that resolve; prints who owns what and what depends on what.
import { readFileSync } from "node:fs";
import {
  DefaultNamespaceEntityPolicy, EntityPolicies, FieldFormatEntityPolicy, NoForeignRootFieldsEntityPolicy,
  SchemaValidEntityPolicy, componentEntityV1alpha1Validator, getCompoundEntityRef, groupEntityV1alpha1Validator,
  parseEntityRef, stringifyEntityRef,
} from "@backstage/catalog-model";

const policy = EntityPolicies.allOf([
  new SchemaValidEntityPolicy(), new DefaultNamespaceEntityPolicy(), new NoForeignRootFieldsEntityPolicy(),
  new FieldFormatEntityPolicy(),
]);
const validators = { Component: componentEntityV1alpha1Validator, Group: groupEntityV1alpha1Validator };
const known = new Map();
for (const told of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const entity = await policy.enforce(told);
  if (!(await validators[entity.kind].check(entity))) throw new Error(`no ${entity.kind}: ${entity.metadata.name}`);
  const ref = stringifyEntityRef(getCompoundEntityRef(entity)); // in lower case: names differ by more than case
  if (known.has(ref)) throw new Error(`two entities are ${ref}`);
  known.set(ref, entity);
}
const resolved = (ref, defaultKind) => {
  const whole = stringifyEntityRef(parseEntityRef(ref, { defaultKind, defaultNamespace: "default" }));
  if (!known.has(whole)) throw new Error(`${ref} is no entity here`);
  return known.get(whole).metadata.annotations?.["stanza-lab.dev/name"] ?? null;
};
const components = [...known.values()].filter((one) => one.kind === "Component").map((one) => ({
  name: one.metadata.annotations["stanza-lab.dev/name"],
  owner: resolved(one.spec.owner, "Group"),
  dependsOn: (one.spec.dependsOn ?? []).map((ref) => resolved(ref, "Component")),
  lifecycle: one.spec.lifecycle,
}));
console.log(JSON.stringify(components));
