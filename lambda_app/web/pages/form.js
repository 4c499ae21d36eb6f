"use strict";
(() => {
  const SLOW = 4000, PATIENCE = 30000;
  const byId = id => document.getElementById(id);
  const contract = JSON.parse(byId("contract").textContent);
  const form = byId("form"), faults = byId("faults"), progress = byId("progress"), result = byId("result");
  const decide = form.querySelector("[type=submit]");
  // The page may stand behind any prefix, with or without a slash at its end.
  const base = location.pathname.replace(/\/+$/, "") + "/";
  const number = value => value.toLocaleString("en", { maximumFractionDigits: 15 });
  let attempt = 0;

  // ---- What was typed, by the contract's rules. Each gives { json }, { absent } or { error }.

  const range = field => `Enter a number from ${number(field.minimum)} to ${number(field.maximum)}.`;
  const within = (field, value) => value >= field.minimum && value <= field.maximum;
  const rules = {
    int(field, text) {
      if (!/^[+-]?\d+$/.test(text)) return { error: "Enter a whole number in digits alone, such as 1200." };
      const value = BigInt(text);  // exact, however long
      return within(field, value) ? { json: value.toString() } : { error: range(field) };
    },
    float(field, text) {
      if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
        return { error: "Enter a number in digits, with a point before decimals, such as 1200.50." };
      }
      const value = Number(text);
      return Number.isFinite(value) && within(field, value) ? { json: JSON.stringify(value) } : { error: range(field) };
    },
    flag: (_field, text) => ({ json: text }),
    choice: (field, text) => ({ json: JSON.stringify(field.words[text]) }),
  };
  const controls = field => [...form.querySelectorAll(`[name="f${field.place}"]`)];
  const box = field => byId(`f${field.place}-box`);
  const typed = field => {
    const [first, ...others] = controls(field);
    return others.length || first.type === "radio" ? (controls(field).find(each => each.checked)?.value ?? "") : first.value.trim();
  };
  const checked = field => {
    const text = typed(field);
    if (text !== "") return rules[field.kind](field, text);
    if (field.optional) return { absent: true };
    return { error: field.kind === "int" || field.kind === "float" ? "Enter a number." : "Choose one." };
  };

  function show(field, error) {
    const place = byId(`f${field.place}-error`);
    place.textContent = error ?? "";
    place.hidden = !error;
    box(field).classList.toggle("wrong", Boolean(error));
    for (const control of controls(field)) {
      if (error) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }

  // A message moves what is below it. While a button of the mouse is down, that would move the target away from a click.
  let pressed = false;
  const waiting = [];
  const settled = action => (pressed ? waiting.push(action) : action());
  addEventListener("pointerdown", () => { pressed = true; }, true);
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, () => setTimeout(() => {
      pressed = false;
      for (const action of waiting.splice(0)) action();
    }), true);
  }

  // A field is checked when it is left; once something is wrong with it, at every key.
  function listen(field) {
    const node = box(field);
    let left = false;
    const look = () => { if (left) show(field, checked(field).error); };
    node.addEventListener("focusout", event => {
      if (node.contains(event.relatedTarget) || typed(field) === "") return;
      left = true;
      settled(look);
    });
    node.addEventListener("input", () => {
      result.hidden = true;
      faults.hidden = true;
      left ||= node.classList.contains("wrong");
      look();
    });
    form.addEventListener("reset", () => { left = false; });
  }

  // ---- What is shown. Text only ever becomes text.

  function element(name, text, attributes = {}) {
    const node = document.createElement(name);
    node.textContent = text;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  }
  const list = (name, items, style) => {
    const node = element(name, "", style ? { class: style } : {});
    node.append(...items.map(item => element("li", item)));
    return node;
  };

  function present(kind, title, ...content) {
    progress.textContent = "";
    result.className = kind;
    byId("outcome").textContent = title;
    byId("explanation").replaceChildren(...content);
    result.hidden = false;
    byId("outcome").focus({ preventScroll: true });
    result.scrollIntoView({ block: "nearest" });
  }

  const failed = (title, advice, id) => present(
    "failed", title, element("p", advice), ...(id ? [element("p", `Request ${id}`, { class: "small" })] : []));

  function named(problems) {
    const known = new Map(contract.fields.map(field => [field.name, field]));
    const rest = problems.filter(each => !known.has(each.field));
    for (const each of problems) if (known.has(each.field)) show(known.get(each.field), `${each.detail}.`);
    return rest.map(each => each.detail);
  }

  function complain(others = []) {
    const wrong = contract.fields.filter(field => box(field).classList.contains("wrong"));
    faults.replaceChildren(element("p", wrong.length === 1 ? "One field needs another look:" : `${wrong.length} fields need another look:`));
    const links = element("ul", "");
    for (const field of wrong) {
      const item = element("li", "");
      const link = element("a", field.label, { href: `#f${field.place}-box` });
      link.addEventListener("click", event => {
        event.preventDefault();
        controls(field)[0].focus();
      });
      item.append(link, `: ${byId(`f${field.place}-error`).textContent}`);
      links.append(item);
    }
    links.append(...others.map(text => element("li", text)));
    faults.append(links);
    faults.hidden = false;
    faults.focus();
  }

  // ---- A change in words.

  const said = (field, value) => (field.kind === "flag" ? (value ? "yes" : "no") : typeof value === "number" ? number(value) : value);
  function inWords(change) {
    const field = contract.fields.find(each => each.name === change.field);
    const now = field.kind === "choice" ? field.words[typed(field)] : Number(typed(field));
    let wanted = said(field, change.to);
    if (field.kind === "int" || field.kind === "float") {
      // The smallest number beyond an edge is no number that people write; the edge is.
      const edge = Number(change.to.toPrecision(15));
      const beyond = field.kind === "float" && change.to > now && edge < change.to;
      const onwards = field.direction === (change.to > now ? "up" : "down");
      const more = change.to > now ? "or more" : "or less";
      wanted = beyond ? `${onwards ? "more than" : "just over"} ${number(edge)}` : `${wanted}${onwards ? ` ${more}` : ""}`;
      if (field.unit) wanted += ` (${field.unit})`;
    }
    return `${field.label}: ${wanted}, instead of ${said(field, now)}`;
  }

  function ways(found) {
    const { one, two } = found;
    const nodes = [element("h3", "What would have led to an approval")];
    if (one.length) {
      nodes.push(element("p", one.length === 1 ? "This change alone:" : "Any one of these changes alone, the smallest first:"));
      nodes.push(list("ul", one.map(inWords), "change"));
    }
    if (two.length) {
      nodes.push(element("p", one.length ? "Or both of these together:" : "No single change, but both of these:"));
      nodes.push(list("ul", two.map(inWords), "change"));
    }
    if (!one.length && !two.length) nodes.push(element("p", "No single change and no two of what a person can change."));
    else nodes.push(element("p", "With everything else as it is, and by the model as it is today.", { class: "small" }));
    return nodes;
  }

  // ---- Asking the service.

  async function post(path, body, signal) {
    const answer = await fetch(base + path, {
      method: "POST", body, signal, headers: { "Content-Type": "application/json" },
      cache: "no-store", credentials: "same-origin", redirect: "error", referrerPolicy: "no-referrer",
    });
    return { status: answer.status, body: await answer.json() };
  }

  function decided(answer) {
    const { decision, probability, reasons, model_version: model, request_id: id } = answer;
    if ((decision !== "approve" && decision !== "deny") || !Array.isArray(reasons)) throw new SyntaxError("no decision");
    const facts = element("p", `Estimated probability of being creditworthy ${(100 * probability).toFixed(1)} %, approved from ` +
      `${(100 * contract.threshold).toFixed(1)} %. Model ${model}, request ${id}.`, { class: "small" });
    if (decision === "approve") {
      present("approve", "Approved", facts);
      return undefined;
    }
    const nodes = [element("h3", reasons.length === 1 ? "The main reason" : "The main reasons, the weightiest first")];
    nodes.push(list("ol", reasons.map(reason => reason.text)));
    const place = element("div", "", { "aria-live": "polite" });
    present("deny", "Denied", ...nodes, place, facts);
    return place;
  }

  async function explain(place, body, mine) {
    if (!contract.changes) return;
    place.replaceChildren(element("p", "Looking for the smallest change …", { class: "small" }));
    let nodes;
    try {
      const { status, body: found } = await post("changes", body, AbortSignal.timeout(PATIENCE));
      nodes = status === 200 ? ways(found) : undefined;
    } catch { nodes = undefined; }
    if (mine !== attempt) return;
    place.replaceChildren(...(nodes ?? [element("p", "What would have led to an approval could not be looked up. The decision stands.")]));
  }

  async function submit() {
    const members = [];
    for (const field of contract.fields) {
      const found = checked(field);
      show(field, found.error);
      if (found.json !== undefined) members.push(`${JSON.stringify(field.name)}:${found.json}`);
    }
    result.hidden = true;
    faults.hidden = true;
    if (form.querySelector(".wrong")) return complain();
    if (!navigator.onLine) return failed("You are offline", "Nothing was sent, and what you entered is still here. Connect and try again.");

    const mine = ++attempt, body = `{${members.join(",")}}`;
    decide.setAttribute("aria-disabled", "true");
    progress.textContent = "Deciding …";
    const slow = setTimeout(() => { progress.textContent = "Still deciding. The service may be starting, which takes a few seconds …"; }, SLOW);
    try {
      const { status, body: answer } = await post("predict", body, AbortSignal.timeout(PATIENCE));
      if (mine !== attempt) return;
      if (status === 200) {
        const place = decided(answer);
        if (place) await explain(place, body, mine);
      } else if (status === 422) {
        progress.textContent = "";
        complain(named(answer.errors ?? []));
      } else if (status === 503) {
        failed("No decision today", "The service takes no applications at the moment. What you entered is still here.", answer.request_id);
      } else {
        failed("The service could not decide", "What you entered is still here; try again later.", answer.request_id);
      }
    } catch (error) {
      if (mine !== attempt) return;
      if (error.name === "TimeoutError") {
        failed("No answer in time", `The service did not answer within ${PATIENCE / 1000} seconds. What you entered is still here; try again.`);
      } else if (error.name === "TypeError" || !navigator.onLine) {
        failed("The service cannot be reached", "The connection failed. What you entered is still here; try again.");
      } else {
        failed("The answer could not be read", "What you entered is still here; try again later.");
      }
    } finally {
      clearTimeout(slow);
      if (mine === attempt) {
        progress.textContent = "";
        decide.removeAttribute("aria-disabled");
      }
    }
    return undefined;
  }

  form.addEventListener("submit", event => {
    event.preventDefault();
    if (!decide.hasAttribute("aria-disabled")) submit();
  });
  form.addEventListener("reset", () => {
    attempt += 1;
    decide.removeAttribute("aria-disabled");
    progress.textContent = "";
    result.hidden = faults.hidden = true;
    for (const field of contract.fields) show(field);
  });
  // Going back to the page must not bring back what somebody entered.
  addEventListener("pageshow", event => { if (event.persisted) form.reset(); });
  contract.fields.forEach(listen);
})();
