// Loads a Cytoscape JSON file without a screen, as Cytoscape does, and prints what it then holds.
import { readFileSync } from "node:fs";
import cytoscape from "cytoscape";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));
const cy = cytoscape({ headless: true, elements: told.elements }); // a link whose end is no service throws
const again = cytoscape({ headless: true });
again.json({ elements: cy.json().elements }); // elements without an id throw here
if (again.elements().length !== cy.elements().length) throw new Error("elements got lost on the way back");
const links = again.edges().map((link) => [
  link.source().data("name"), link.target().data("name"), link.data("confidence"), link.data("link_confidence"),
]);
console.log(JSON.stringify({ services: again.nodes().map((one) => one.data("name")), links }));
