/**
 * Elements of the page in a line each. It knows nothing of models.
 *
 * @module
 */

type Child = Node | string | undefined | false;
type Properties = Readonly<Record<string, unknown>>;

/** An element with properties (`className`, `onclick`) and attributes (`aria-label`, `for`), and what is in it. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (key in made && !key.includes("-") && key !== "list") Object.assign(made, { [key]: value });
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return made;
}

/** A button. */
export function button(label: string, onclick: () => void, properties: Properties = {}): HTMLButtonElement {
  return element("button", { type: "button", onclick, ...properties }, label);
}

let fields = 0;

/** A number to be chosen, with its label and value beside it. */
export interface Slider {
  readonly host: HTMLElement;
  value: number;
}

/** A slider from `min` to `max`. */
export function slider(
  label: string,
  range: { readonly min: number; readonly max: number; readonly step: number; readonly value: number },
  changed: (value: number) => void,
): Slider {
  const id = `field-${++fields}`;
  const shown = element("output", { "for": id }, String(range.value));
  const input = element("input", { id, type: "range", ...range, value: String(range.value) });
  input.addEventListener("input", () => {
    shown.value = input.value;
    changed(Number(input.value));
  });
  return {
    host: element("div", { className: "field" }, element("label", { "for": id }, label), input, shown),
    get value() {
      return Number(input.value);
    },
    set value(value) {
      input.value = String(value);
      shown.value = input.value;
    },
  };
}

/** A box to be ticked. */
export function check(label: string, checked: boolean, changed: (checked: boolean) => void): HTMLElement {
  const id = `field-${++fields}`;
  const input = element("input", { id, type: "checkbox", checked });
  input.addEventListener("change", () => changed(input.checked));
  return element("div", { className: "row" }, input, element("label", { "for": id }, label));
}

/** One of some names. */
export function choice(
  label: string,
  options: readonly (readonly [value: string, label: string])[],
  value: string,
  changed: (value: string) => void,
): { readonly host: HTMLElement; readonly input: HTMLSelectElement } {
  const id = `field-${++fields}`;
  const input = element(
    "select",
    { id },
    ...options.map(([name, title]) => element("option", { value: name, selected: name === value }, title)),
  );
  input.addEventListener("change", () => changed(input.value));
  return { host: element("div", { className: "field" }, element("label", { "for": id }, label), input), input };
}

/** One of K latent dimensions. */
export function dimensionChoice(
  label: string,
  latents: number,
  value: number,
  changed: (value: number) => void,
): HTMLElement {
  const names = Array.from({ length: latents }, (_, i) => [String(i), `z${i + 1}`] as const);
  return choice(label, names, String(value), (value) => changed(Number(value))).host;
}

/** A field for a number or a text. */
export function entry(
  label: string,
  properties: Properties,
): { readonly host: HTMLElement; readonly input: HTMLInputElement } {
  const id = `field-${++fields}`;
  const input = element("input", { id, ...properties });
  return { host: element("div", { className: "field" }, element("label", { "for": id }, label), input), input };
}

/** A canvas that says what it shows, and a table of the same values for those who do not see it. */
export function labelled(canvas: HTMLCanvasElement, label: string, table?: HTMLElement): HTMLElement {
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const twin = table && element("details", { className: "twin" }, element("summary", {}, "As a table"), table);
  return element("figure", {}, canvas, element("figcaption", {}, label), twin);
}

/** A table of rows under headings. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): HTMLTableElement {
  const cells = (values: readonly (string | number)[]) => values.map((value) => element("td", {}, String(value)));
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells(row)))),
  );
}
