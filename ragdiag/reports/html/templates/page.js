"use strict";
// Everything out of a corpus reaches the page as text nodes: nothing here parses markup.
(() => {
  const $ = (id) => document.getElementById(id);

  const themes = ["", "light", "dark"], named = ["Auto", "Light", "Dark"];
  $("theme").addEventListener("click", () => {
    const at = (themes.indexOf(document.documentElement.dataset.theme || "") + 1) % themes.length;
    if (themes[at]) document.documentElement.dataset.theme = themes[at];
    else delete document.documentElement.dataset.theme;
    $("theme").textContent = named[at];
    $("theme").setAttribute("aria-label", "Colours: " + (themes[at] || "as the system"));
  });

  // A comparison: which of the queries that configurations serve differently are listed

  const turned = $("turned");
  if (turned) {
    const rows = [...turned.children], kind = $("by-turn"), by = $("by-config");
    const list = () => {
      for (const row of rows) row.hidden = (kind.value && row.dataset.kind !== kind.value) || (by.value && !row.dataset.by.split(" ").includes(by.value));
      const listed = rows.filter((row) => !row.hidden).length;
      $("turned-count").textContent = (listed === rows.length ? "" : listed + " of ") + rows.length + (rows.length === 1 ? " query" : " queries");
    };
    const ask = () => {
      const [, wanted, place] = /^#(won|lost)=(\d+)$/.exec(location.hash) || [];
      if (!wanted) return;
      [kind.value, by.value] = [wanted, place];
      list();
      $("queries").scrollIntoView();
    };
    for (const select of [kind, by]) select.addEventListener("change", list);
    addEventListener("hashchange", ask);
    $("turns").hidden = false;
    list();
    ask();
  }

  const source = $("data");
  if (!source) {
    document.documentElement.dataset.ready = "";
    return;
  }
  const data = JSON.parse(source.textContent), queries = data.queries;
  const PAGE = 50, PRINTED = 10;

  // Building blocks

  const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u;
  const picture = (code) => code < 32 ? String.fromCharCode(0x2400 + code) : code === 127 ? "\u2421" : code.toString(16).toUpperCase().padStart(4, "0");

  /** Text as nodes: characters that would steer what stands round them are shown as what they are. */
  const visible = (text) => {
    const nodes = [];
    let rest = String(text).replace(/\r\n/g, "\n"), found;
    while ((found = UNSAFE.exec(rest))) {
      if (found.index) nodes.push(rest.slice(0, found.index));
      const code = found[0].codePointAt(0), hex = "U+" + code.toString(16).toUpperCase().padStart(4, "0");
      nodes.push(el("span", { class: "ctl", title: "control character " + hex }, picture(code)));
      rest = rest.slice(found.index + found[0].length);
    }
    if (rest) nodes.push(rest);
    return nodes;
  };
  const calm = (text) => text.replace(/\n(?:[ \t\r]*\n){2,}/g, "\n\n"); // several empty lines as one
  const fill = (node, attributes, children) => {
    for (const name in attributes) if (attributes[name] !== undefined) node.setAttribute(name, attributes[name]);
    node.append(...children.flat(Infinity).filter((child) => child !== undefined));
    return node;
  };
  const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const own = (text) => el("bdi", {}, visible(text));
  const percent = (share) => Math.round(100 * share) + "%";
  const counted = (n, what) => n + " " + what + (n === 1 ? "" : "s");
  const said = (spans) => spans.map((span) => typeof span === "string" ? el("span", {}, visible(span)) : el("span", { class: span[1] }, visible(span[0])));
  const table = (head, right, rows, kind) => el("table", { class: kind },
    head ? el("thead", {}, el("tr", {}, head.map((name, i) => el("th", { scope: "col", class: right.includes(i) ? "num" : undefined }, name)))) : undefined,
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell, i) => el("td", { class: right.includes(i) ? "num" : undefined }, cell))))));
  const block = (title, ...children) => el("section", { class: "block" }, el("h3", {}, title), children);

  const STATES = new Map([[true, ["\u2713", "served", "good"]], [false, ["\u2717", "not served", "bad"]], [null, ["\u2013", "not decidable", ""]]]);

  // One query

  /** Ranks before and after a change on a logarithmic line, with the end of the context; the words beside it say the same. */
  const track = (before, after) => {
    if (before === after) return undefined;
    const most = Math.log(data.depth + 1), at = (rank) => 6 + 84 * Math.log(rank || data.depth * 1.25) / most;
    const label = (rank) => rank || ">" + data.depth, [x, y] = [at(before), at(after)];
    const anchor = (place) => place > 84 ? "end" : place < 14 ? "start" : "middle";
    const ends = [svg("text", { x: x + "%", y: 38, "text-anchor": anchor(x) }, "before " + label(before)),
      svg("text", { x: y + "%", y: 11, "text-anchor": anchor(y), class: "now" }, "after " + label(after))];
    return svg("svg", { class: "track", "aria-hidden": "true" },
      svg("line", { class: "axis", x1: "6%", x2: "96%", y1: 21, y2: 21 }),
      data.k ? svg("line", { class: "cutoff", x1: at(data.k + .5) + "%", x2: at(data.k + .5) + "%", y1: 12, y2: 30 }) : undefined,
      svg("line", { class: "moved", x1: x + "%", x2: y + "%", y1: 21, y2: 21 }),
      svg("circle", { class: "before", cx: x + "%", cy: 21, r: 4.5 }), svg("circle", { class: "after", cx: y + "%", cy: 21, r: 5 }), ends);
  };

  const why = (q) => {
    const parts = q.why.map((cause) => el("section", { class: "block cause" }, el("h3", {}, said(cause.head)), track(...cause.ranks),
      el("dl", { class: "facts" }, cause.rows.map(([name, spans]) => [el("dt", {}, name), el("dd", {}, el("bdi", {}, said(spans)))]))));
    parts.push(...q.notes.map((note) => el("p", { class: "note" }, said(note))));
    if (q.tried.length) {
      const rows = q.tried.map((cells) => cells.map((cell) => [own(cell)]));
      parts.push(block(q.why.length ? "Tried as well" : "What was tried", el("div", { class: "scroll" }, table(["cause", "ranks", "enough?", "change"], [], rows, "tried"))));
    }
    return parts;
  };

  /** A passage with the places marked where chunks end inside it; every other part is shaded. */
  const passage = (group) => {
    const parts = [];
    [...group.cuts, group.text.length].reduce((last, cut, i) => {
      parts.push(el("span", { class: i % 2 ? "odd" : undefined }, visible(calm(group.text.slice(last, cut)))));
      if (i < group.cuts.length) parts.push(el("span", { class: "cut", title: "a chunk ends here" }, "\u2016"));
      return cut;
    }, 0);
    return el("div", { class: "passage", tabindex: 0, role: "group", "aria-label": "evidence" }, el("bdi", {}, parts));
  };

  const evidence = (q) => q.evidence.map((group, i) => {
    const where = [group.page ? ", page " + group.page : "", group.copies ? ", " + (group.copies === 1 ? "1 exact copy" : group.copies + " exact copies") + " elsewhere" : ""];
    const pieces = group.pieces.map(([name, rank, share]) => [[own(name)], rank ? String(rank) : "not in the first " + data.depth, percent(share)]);
    const held = el("span", { class: group.held === 1 ? "good" : "bad" }, percent(group.held) + " in the context");
    return block(["Evidence " + (i + 1) + " of " + q.evidence.length + ": ", held],
      el("p", { class: "note" }, own(group.at), where, group.cuts.length ? "; cut by " + counted(group.cuts.length, "chunk boundary").replace("boundarys", "boundaries") : ""),
      passage(group),
      pieces.length ? table(["held by", "rank", "share"], [1, 2], pieces, "fit") : el("p", {}, "no chunk holds any of it"));
  });

  const marked = (text, marks) => {
    const parts = [];
    let last = 0;
    for (let i = 0; i < marks.length; i += 2) {
      const start = Math.max(marks[i], last), end = marks[i + 1];
      if (end <= start) continue;
      parts.push(visible(calm(text.slice(last, start))), el("mark", {}, visible(calm(text.slice(start, end)))));
      last = end;
    }
    return [...parts, visible(calm(text.slice(last)))];
  };

  const chunk = ([place, rank, score, grade, , marks]) => {
    const [name, text] = data.chunks[place];
    const body = el("div", { class: "body" + (marks.length ? "" : " without clamp") }, el("bdi", {}, marked(text, marks)));
    const more = !marks.length && text.length > 280 ? el("button", { type: "button", class: "more-text", "aria-expanded": "false" }, "all of it") : undefined;
    if (more) more.addEventListener("click", () => {
      const shut = body.classList.toggle("clamp");
      more.textContent = shut ? "all of it" : "less";
      more.setAttribute("aria-expanded", String(!shut));
    });
    const holds = grade ? el("span", { class: "strong" }, ", holds " + percent(grade) + " of an evidence passage") : undefined;
    return el("div", { class: "chunk" }, el("p", {}, el("span", { class: "rank" }, String(rank)), el("span", { class: "mono" }, own(name))),
      el("p", { class: "of" }, "score " + score, holds), body, more);
  };

  const context = (q) => {
    const inside = q.ranking.filter((row) => row[4]), below = q.ranking.filter((row) => !row[4]);
    const title = inside.length ? "Context: the first " + counted(inside.length, "chunk") : "Context: empty, nothing was retrieved for this query";
    const parts = [block(title, inside.map(chunk))];
    if (below.length) parts.push(block("Below the context, with evidence", below.map(chunk), q.below ? el("p", { class: "note" }, "and " + q.below + " more") : undefined));
    return parts;
  };

  const ANSWERED = (share) => share === null ? "not known" : share >= .5 ? "right" : "wrong";
  const details = (q) => {
    const facts = [];
    const fact = (name, ...value) => facts.push(el("dt", {}, name), el("dd", {}, ...value));
    if (q.answer) fact("expected answer", own(q.answer));
    if (q.answers) fact("answered", ANSWERED(q.answers[0]) + " with its context, " + ANSWERED(q.answers[1]) + " with exactly the evidence");
    if (q.documents.length) fact(q.documents.length === 1 ? "document" : "documents", q.documents.map((name, i) => [i ? ", " : "", own(name)]).flat());
    if (q.risks.length) fact("risks", q.risks.join(", "), el("span", { class: "dim" }, ": seen, and harmless here"));
    q.defects.forEach((defect) => fact("label", own(defect)));
    const known = data.measures.map((name, i) => [name, q.measures[i]]).filter(([, value]) => value !== null);
    const measured = el("p", { class: "note measured-here" }, known.map(([name, value]) => el("span", {}, name + " " + value)));
    return [el("p", { class: "verdict " + STATES.get(q.served)[2] }, own(q.said)), el("dl", { class: "facts" }, facts),
      el("div", { class: "columns" }, el("div", {}, evidence(q), why(q)), el("div", {}, context(q))), known.length ? measured : undefined];
  };

  // The list

  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const haystack = (q) => q.hay || (q.hay = fold([q.id, q.text, q.answer, q.status, ...q.causes, ...q.documents, ...q.evidence.map((group) => group.text)].join("\n")));
  const served = { yes: true, no: false, "not decidable": null };
  const orders = {
    "look at first": () => data.first.slice(),
    "least evidence": () => sorted((q) => q.got === null ? 2 : q.got),
    "furthest down": () => sorted((q) => q.served === null ? 1 : -(q.k || data.depth + 1)),
    "id": () => queries.map((_, i) => i).sort((a, b) => queries[a].id.localeCompare(queries[b].id, undefined, { numeric: true }) || a - b),
    "order of the file": () => queries.map((_, i) => i),
  };
  const sorted = (key) => queries.map((_, i) => i).sort((a, b) => key(queries[a]) - key(queries[b]) || a - b);
  let shown = [], page = 0, open = new Set();

  const choose = (select, all, counts) => select.append(el("option", { value: "" }, all), ...[...counts].map(([name, n]) => el("option", { value: name }, name.replace("not_decidable", "not decidable") + " (" + n + ")")));
  const tally = (of) => {
    const counts = new Map();
    queries.forEach((q) => of(q).forEach((name) => counts.set(name, (counts.get(name) || 0) + 1)));
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  };
  choose($("by-served"), "all", tally((q) => [Object.keys(served).find((name) => served[name] === q.served)]));
  choose($("by-cause"), "any", tally((q) => q.causes.length ? q.causes : ["(none)"]));
  choose($("by-status"), "any", tally((q) => [q.status]));
  $("sort").append(...Object.keys(orders).map((name) => el("option", {}, name)));

  const row = (i) => {
    const q = queries[i], [sign, words, kind] = STATES.get(q.served);
    const opener = el("button", { type: "button", class: "opener", id: "o" + i, "aria-expanded": "false", "aria-controls": "d" + i }, own(q.text || "(no text)"));
    const link = el("a", { class: "mono", href: "#q=" + encodeURIComponent(wellFormed(q.id)) }, own(q.id));
    const line = el("tr", { class: "row", id: "r" + i }, el("td", { class: "state " + kind }, el("span", { "aria-hidden": "true" }, sign + " "), words),
      el("td", {}, link), el("td", {}, opener), el("td", {}, q.causes.length ? q.causes.join(", ") : q.status === "ok" ? "" : q.status.replace(/_/g, " ")),
      el("td", { class: "num" }, q.got === null ? "" : percent(q.got)), el("td", { class: "num" }, q.served === null ? "" : String(q.k || ">" + data.depth)));
    line.addEventListener("click", (event) => { if (!event.target.closest("a") && !String(getSelection())) toggle(i); });
    return line;
  };
  const wellFormed = (text) => text.replace(/[\ud800-\udfff]/gu, "\ufffd");

  const toggle = (i, wanted) => {
    const line = $("r" + i), is = open.has(i), shall = wanted === undefined ? !is : wanted;
    if (!line || is === shall) return;
    $("o" + i).setAttribute("aria-expanded", String(shall));
    line.classList.toggle("open", shall);
    if (shall) {
      open.add(i);
      line.after(el("tr", { class: "detail", id: "d" + i }, el("td", { colspan: 6 }, details(queries[i]))));
      if (wanted === undefined) history.replaceState(null, "", "#q=" + encodeURIComponent(wellFormed(queries[i].id)));
    } else {
      open.delete(i);
      $("d" + i).remove();
    }
  };

  const draw = () => {
    open = new Set();
    $("rows").replaceChildren(...shown.slice(page * PAGE, (page + 1) * PAGE).map(row));
    const pages = Math.ceil(shown.length / PAGE);
    $("pages").hidden = pages < 2;
    $("page").textContent = "Page " + (page + 1) + " of " + pages;
    $("previous").disabled = page === 0;
    $("next").disabled = page >= pages - 1;
  };
  const filter = () => {
    const words = fold($("search").value).split(/\s+/).filter(Boolean);
    const [how, cause, status] = [$("by-served").value, $("by-cause").value, $("by-status").value];
    shown = orders[$("sort").value]().filter((i) => {
      const q = queries[i];
      return (!how || q.served === served[how]) && (!status || q.status === status)
        && (!cause || (cause === "(none)" ? !q.causes.length : q.causes.includes(cause)))
        && (!words.length || words.every((word) => haystack(q).includes(word)));
    });
    page = 0;
    draw();
    $("count").textContent = shown.length === queries.length ? counted(queries.length, "query").replace("querys", "queries") : shown.length + " of " + queries.length + " queries";
  };
  const clear = () => {
    for (const id of ["search", "by-served", "by-cause", "by-status"]) $(id).value = "";
    filter();
  };
  const turn = (to) => { page = to; draw(); $("list").scrollIntoView(); };

  const reveal = (i) => {
    if (!shown.includes(i)) clear();
    const to = Math.floor(shown.indexOf(i) / PAGE);
    if (to !== page) { page = to; draw(); }
    toggle(i, true);
    $("r" + i).scrollIntoView();
    $("o" + i).focus({ preventScroll: true });
  };
  const follow = () => {
    const [, name, text] = /^#(q|cause)=(.*)$/s.exec(location.hash) || [];
    if (!name) return;
    let wanted = text;
    try { wanted = decodeURIComponent(text); } catch { /* as it stands */ }
    if (name === "cause") {
      clear();
      $("by-cause").value = wanted;
      filter();
      $("queries").scrollIntoView();
      return;
    }
    const i = queries.findIndex((q) => wellFormed(q.id) === wanted);
    if (i >= 0) reveal(i);
    else $("count").textContent = "No query has that id.";
  };

  // Keys: / search, j and k next and previous query, Escape closes

  const step = (by) => {
    const rows = [...document.querySelectorAll(".row .opener")], here = document.activeElement;
    const detail = here && here.closest(".detail"), at = rows.indexOf(detail ? detail.previousSibling.querySelector(".opener") : here);
    const next = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
    if (next) { next.focus({ preventScroll: true }); next.closest("tr").scrollIntoView({ block: "center" }); }
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select");
    if (event.key === "Escape") {
      const detail = event.target.closest(".detail"), line = detail ? detail.previousSibling : event.target.closest(".row");
      if (line && line.classList.contains("open")) { toggle(Number(line.id.slice(1)), false); line.querySelector(".opener").focus(); }
    } else if (!typing && event.key === "/") {
      event.preventDefault();
      $("search").focus();
    } else if (!typing && (event.key === "j" || event.key === "k")) step(event.key === "j" ? 1 : -1);
  });

  let printed = [];
  addEventListener("beforeprint", () => {
    printed = shown.slice(page * PAGE, page * PAGE + PRINTED).filter((i) => !open.has(i));
    printed.forEach((i) => toggle(i, true));
  });
  addEventListener("afterprint", () => printed.forEach((i) => toggle(i, false)));

  let waiting = 0;
  $("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  for (const id of ["by-served", "by-cause", "by-status", "sort"]) $(id).addEventListener("change", filter);
  $("clear").addEventListener("click", clear);
  $("previous").addEventListener("click", () => turn(page - 1));
  $("next").addEventListener("click", () => turn(page + 1));
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); filter(); });
  addEventListener("hashchange", follow);
  $("filters").hidden = $("list").hidden = false;
  filter();
  follow();
  document.documentElement.dataset.ready = "";
})();
