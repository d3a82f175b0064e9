const maximumPoints = 120;
const maximumLogs = 200;
const latencies = [];
const functions = new Map();
const find = id => document.getElementById(id);

function element(name, text, className) {
  const created = document.createElement(name);
  created.textContent = text;
  if (className) {
    created.className = className;
  }
  return created;
}

async function readProblem(response) {
  const problem = await response.json().catch(() => ({}));
  return `${response.status} ${problem.title ?? response.statusText} (fault of the ${problem.fault ?? 'caller'}): ${problem.detail ?? ''}`;
}

function show(output, text, failed) {
  output.textContent = text;
  output.toggleAttribute('data-failed', failed);
}

// Status: drivers, guests, pools.

async function refresh() {
  const response = await fetch('/status');
  if (!response.ok) {
    find('driver').textContent = await readProblem(response);
    return;
  }
  const status = await response.json();
  find('driver').textContent = `Driver: ${status.driver} (${status.reason})`;
  find('drivers').replaceChildren(...status.drivers.map(driver => element(
    'li', `${driver.name}: ${driver.isUsable ? 'usable' : 'not usable'}, ${driver.reason}${driver.remedy ? ` ${driver.remedy}` : ''}`,
    driver.isUsable ? '' : 'unusable')));
  find('guests').replaceChildren(...status.guests.map(guest => {
    const row = document.createElement('tr');
    const pool = guest.pool;
    row.append(...[guest.name, guest.functions ?? 'not listed', pool.size, pool.idle, pool.rented, pool.waiting, pool.rents, pool.discards]
      .map(text => element('td', text)));
    return row;
  }));
  await offerGuests(status.guests);
}

async function offerGuests(guests) {
  const select = find('guest');
  const names = guests.map(guest => guest.name);
  if ([...select.options].map(option => option.value).join() === names.join()) {
    return;
  }
  const chosen = select.value;
  select.replaceChildren(...names.map(name => new Option(name)));
  if (names.includes(chosen)) {
    select.value = chosen;
  }
  await offerFunctions();
}

async function offerFunctions() {
  functions.clear();
  const guest = find('guest').value;
  if (guest) {
    const response = await fetch(`/guests/${encodeURIComponent(guest)}/functions`);
    if (response.ok) {
      for (const f of (await response.json()).functions) {
        functions.set(f.name, f);
      }
    }
  }
  find('function').replaceChildren(...[...functions.values()].map(f => new Option(f.signature, f.name)));
  offerArguments();
}

function offerArguments() {
  const chosen = functions.get(find('function').value);
  const fields = (chosen?.parameters ?? []).map(parameter => {
    const label = element('label', `${parameter.name} (${parameter.type})`);
    const input = document.createElement('input');
    input.dataset.type = parameter.type;
    input.type = parameter.type === 'bool' ? 'checkbox' : 'text';
    label.append(input);
    return label;
  });
  const list = find('arguments');
  list.replaceChildren(list.querySelector('legend'), ...(fields.length ? fields : [element('span', 'none')]));
}

// Calls. Numbers are sent as they were typed, because a long has more digits than a number of JavaScript.

function argument(input) {
  switch (input.dataset.type) {
    case 'bool': return String(input.checked);
    case 'string':
    case 'bytes': return JSON.stringify(input.value);
    default: return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(input.value) ? input.value : JSON.stringify(input.value);
  }
}

async function call(event) {
  event.preventDefault();
  const values = [...find('arguments').querySelectorAll('input')].map(argument);
  const address = `/guests/${encodeURIComponent(find('guest').value)}/functions/${encodeURIComponent(find('function').value)}`;
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: `{"arguments":[${values.join(',')}]}`,
  });
  show(find('result'), response.ok ? await response.text() : await readProblem(response), !response.ok);
}

async function upload(event) {
  event.preventDefault();
  const name = find('upload-name').value;
  const response = await fetch(`/guests/${encodeURIComponent(name)}`, { method: 'PUT', body: find('upload-file').files[0] });
  show(find('upload-result'), response.ok ? `${name} is ready.` : await readProblem(response), !response.ok);
  await refresh();
}

// Events as they come.

function addLatency(milliseconds) {
  latencies.push(milliseconds);
  latencies.splice(0, latencies.length - maximumPoints);
  requestAnimationFrame(draw);
}

function draw() {
  const highest = Math.max(...latencies, 1);
  const step = 600 / (maximumPoints - 1);
  find('line').setAttribute('points', latencies
    .map((value, index) => `${(index * step).toFixed(1)},${(155 - 150 * value / highest).toFixed(1)}`)
    .join(' '));
  const sorted = latencies.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  find('chart-text').textContent =
    `The last ${latencies.length} calls: median ${median.toFixed(2)} ms, longest ${highest.toFixed(2)} ms.`;
}

function addLog(item) {
  const logs = find('logs');
  logs.append(element('li', `${item.level} ${item.guest}: ${item.text}`));
  while (logs.childElementCount > maximumLogs) {
    logs.firstElementChild.remove();
  }
  logs.scrollTop = logs.scrollHeight;
}

function listen() {
  new EventSource('/events').onmessage = message => {
    const item = JSON.parse(message.data);
    if (item.kind === 'log') {
      addLog(item);
    } else if (item.kind === 'call') {
      addLatency(item.milliseconds);
    }
  };
}

// Light and dark. Without a choice, the page follows the system.

function toggleTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = isDark ? 'light' : 'dark';
  find('theme').setAttribute('aria-pressed', String(!isDark));
}

find('theme').addEventListener('click', toggleTheme);
find('guest').addEventListener('change', offerFunctions);
find('function').addEventListener('change', offerArguments);
find('call').addEventListener('submit', call);
find('upload').addEventListener('submit', upload);
listen();
await refresh();
setInterval(refresh, 2000);
