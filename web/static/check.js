// The ISP check. The browser only collects what it sees of the beacons; the server judges and finds the words.

const LOOKS = {
  "drops-invalid": ["good", "check"],
  "drops-invalid-on-path-elsewhere": ["open", "warn"],
  "accepts-invalid": ["bad", "cross"],
  "mixed": ["open", "warn"],
  "no-family": ["open", "question"],
  "inconclusive": ["open", "question"],
};
const ROLES = { control: "valid route", invalid: "invalid route only", covered: "tells its route" };
const OUTCOMES = { reached: "answered", timeout: "no answer", failed: "failed at once" };
const FAMILIES = { ipv4: "IPv4", ipv6: "IPv6", any: "IPv4 or IPv6, as your browser chose" };

const byId = (id) => document.getElementById(id);

async function ask(set, role, url, patience) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), patience);
  // A new query each time, so that no cache on the way answers for the beacon.
  const target = new URL(url);
  target.searchParams.set("once", crypto.getRandomValues(new Uint32Array(2)).join(""));
  // Only a lab has this: its beacons answer as they would behind the chosen provider.
  if (byId("run").dataset.isp) target.searchParams.set("isp", byId("run").dataset.isp);
  const sample = { set, role, outcome: "reached", ms: 0, route: null };
  const started = performance.now();
  try {
    const answer = await fetch(target, {
      mode: role === "covered" ? "cors" : "no-cors",
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: controller.signal,
    });
    if (role === "covered") sample.route = routeOf(await answer.json());
  } catch {
    sample.outcome = controller.signal.aborted ? "timeout" : "failed";
  }
  clearTimeout(timer);
  sample.ms = Math.round((performance.now() - started) * 10) / 10;
  return sample;
}

function routeOf(answer) {
  const passed = answer["rpki-valid-passed"];
  if (typeof passed === "boolean") return passed ? "valid" : "invalid";
  return answer.route === "valid" || answer.route === "invalid" ? answer.route : null;
}

async function collect(plan) {
  const samples = [];
  const longest = plan.rounds * plan.timeout_ms;
  const begun = performance.now();
  let done = 0;
  const clock = setInterval(() => tell(Math.max(done, (performance.now() - begun) / longest)), 200);
  for (let round = 0; round < plan.rounds; round += 1) {
    done = round / plan.rounds;
    tell(done, `Round ${round + 1} of ${plan.rounds}: asking valid and invalid addresses side by side.`);
    // The control is asked in the same moment as the invalid address, so both meet the same line.
    const requests = plan.beacons.flatMap((set) =>
      Object.keys(ROLES).flatMap((role) => set[role].map((url) => ask(set.name, role, url, plan.timeout_ms))),
    );
    samples.push(...(await Promise.all(requests)));
  }
  clearInterval(clock);
  return samples;
}

async function json(url, options) {
  const answer = await fetch(url, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  return body;
}

function card(verdict) {
  const node = byId("verdict").content.cloneNode(true);
  const [look, icon] = LOOKS[verdict.verdict];
  const put = (name, text) => { node.querySelector(`.verdict-${name}`).textContent = text; };
  node.querySelector("article").classList.add(look);
  node.querySelector("article").dataset.verdict = verdict.verdict;
  node.querySelector("use").setAttribute("href", `#i-${icon}`);
  put("family", FAMILIES[verdict.family]);
  for (const name of ["headline", "means", "limits", "advice"]) put(name, verdict[name]);
  node.querySelector(".verdict-because").append(...verdict.because.map((text) => element("li", text)));
  node.querySelector("tbody").append(...verdict.samples.map((sample) => {
    const row = element("tr");
    const outcome = sample.route ? `${OUTCOMES[sample.outcome]}: ${sample.route} route` : OUTCOMES[sample.outcome];
    const time = element("td", `${Math.round(sample.ms)} ms`);
    time.className = "number";
    row.append(element("td", ROLES[sample.role]), element("td", sample.set), element("td", outcome), time);
    return row;
  }));
  return node;
}

function element(name, text = "") {
  const node = document.createElement(name);
  node.textContent = text;
  return node;
}

function asText(verdict) {
  const lines = [`${verdict.headline} (${new Date().toISOString()}, ${location.origin})`];
  for (const family of verdict.families) {
    lines.push("", family.headline, family.means, family.limits, ...family.because);
  }
  return lines.join("\n");
}

async function copy(verdict) {
  try {
    await navigator.clipboard.writeText(asText(verdict));
    byId("status").textContent = "The result is on your clipboard.";
  } catch {
    byId("status").textContent = "Your browser does not let this page copy; select the text of the result instead.";
  }
}

function tell(done, text = null) {
  byId("progress").firstElementChild.value = done;
  if (text !== null) byId("status").textContent = text;
}

async function run() {
  const button = byId("run");
  button.disabled = true;
  button.textContent = "Checking…";
  byId("progress").hidden = false;
  byId("result").hidden = true;
  try {
    const plan = await json("/api/v1/checks");
    const samples = await collect(plan);
    const verdict = await json("/api/v1/checks", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ samples }),
    });
    tell(1, `Done. ${verdict.headline}`);
    byId("result-headline").textContent = verdict.headline;
    byId("verdicts").replaceChildren(...verdict.families.map(card));
    byId("copy").hidden = !navigator.clipboard;
    byId("copy").onclick = () => copy(verdict);
    byId("result").hidden = false;
    byId("result").scrollIntoView({ block: "nearest" });
  } catch (error) {
    tell(0, `The check could not be done: ${error.message || "this server did not answer"}. Try again.`);
  }
  byId("progress").hidden = true;
  button.textContent = "Run the check again";
  button.disabled = false;
}

// The story of the moment is drawn by the server; a fresh copy of it replaces the old one while somebody looks.
async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/", { cache: "no-store" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const shown of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(shown.id);
      if (fresh && !shown.contains(document.activeElement)) shown.replaceChildren(...fresh.childNodes);
    }
  } catch {
    // The server is away for a moment; what is shown carries its age.
  }
}

const button = byId("run");
if (button) {
  button.hidden = false;
  byId("by-hand").hidden = true;
  button.addEventListener("click", run);
}
setInterval(refresh, 10_000);
