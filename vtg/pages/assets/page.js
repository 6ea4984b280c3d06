'use strict';
(() => {
  const data = JSON.parse(document.getElementById('vtg-data').textContent);
  const { models, columns, entries } = data;
  if (!entries.length) return;

  const COLOURS = ['#0072b2', '#d55e00', '#cc79a7', '#e69f00', '#56b4e9', '#7a5cc0', '#8c6d31', '#666'];
  const TRUTH = '#009e73';
  const LENGTHS = new Map([['any', null], ['up to 10 s', [0, 10]], ['10 to 30 s', [10, 30]], ['over 30 s', [30, Infinity]]]);
  const COUNTS = new Map([['any', null], ['none', [0, 0]], ['one', [1, 1]], ['two', [2, 2]], ['more', [3, Infinity]]]);
  const PART = 50;
  const $ = (id) => document.getElementById(id);
  const colour = (model) => COLOURS[model % COLOURS.length];

  const numeric = columns.map((_, at) => entries.some((entry) => typeof entry.values[at] === 'number'));
  let found = [], shown = PART, chosen = null, player = null, now = 0;

  // Only textContent and attributes are set, so no text of the data becomes markup.
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }
  function shape(name, attributes, text) {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function clock(seconds) {
    const tenths = Math.round(Math.max(seconds, 0) * 10) / 10;
    const whole = Math.floor(tenths), rest = Math.round((tenths - whole) * 10);
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const padded = String(whole % 60).padStart(2, '0') + (rest ? '.' + rest : '');
    return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${padded}` : `${minutes}:${padded}`;
  }
  const text = (value) => typeof value === 'number' ? String(Math.round(value * 1000) / 1000) : value;

  // The end of the axis: the video, or what lies behind the end that is stated for it.
  function lengthOf(entry) {
    let end = entry.duration;
    if (!end) for (const row of [...(entry.truth || []), ...entry.tracks.flatMap((track) => track.moments)]) end = Math.max(end, row[1]);
    return end || 1;
  }
  function step(length, width) {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    return steps.find((value) => length / value <= width / 55) || 7200;
  }

  // ---- the timeline of one query ----
  function bar(svg, row, y, height, x, fill, opacity, title) {
    const left = x(Math.max(row[0], 0)), right = x(row[1]);
    const rect = shape('rect', { x: left, y, width: Math.max(right - left, 3), height, rx: 2, fill, 'fill-opacity': opacity, class: 'bar' });
    rect.append(shape('title', {}, title));
    svg.append(rect);
  }
  function curve(svg, values, clip, y, height, x, stroke) {
    const points = [];
    values.steps.forEach((value, at) => {
      if (value !== null) points.push(`${x((at + 0.5) * clip).toFixed(1)},${(y + height - value / 100 * height).toFixed(1)}`);
    });
    svg.append(shape('polyline', { points: points.join(' '), fill: 'none', stroke, 'stroke-width': 1.5, 'stroke-linejoin': 'round' }));
  }
  function timeline(entry, width) {
    const length = lengthOf(entry), side = 4, top = Number($('top').value);
    const x = (seconds) => side + Math.min(seconds / length, 1) * (width - 2 * side);
    const svg = shape('svg', { class: 'timeline', role: 'img', width, 'aria-label': `Timeline of ${clock(length)}` });
    const grid = shape('g', {});
    svg.append(grid);
    let y = 0;
    function heading(words, fill, range) {
      svg.append(shape('rect', { x: side, y: y + 5, width: 9, height: 9, rx: 2, fill }));
      const label = shape('text', { x: side + 14, y: y + 13, class: 'name' }, words);
      svg.append(label);
      if (range) svg.append(shape('text', { x: width - side, y: y + 13, 'text-anchor': 'end' }, range));
      y += 19;
    }
    if (entry.truth !== null) {
      const none = entry.truth.length === 0;
      heading(none ? 'annotated: no moment' : 'annotated', TRUTH, '');
      for (const row of entry.truth) bar(svg, row, y, 12, x, TRUTH, 0.9, `${clock(row[0])} – ${clock(row[1])}`);
      y += none ? 0 : 16;
      if (entry.grades && entry.tracks.length) {
        curve(svg, entry.grades, entry.tracks[0].clip, y, 20, x, TRUTH);
        y += 24;
      }
    }
    for (const track of entry.tracks) {
      const values = track.curve, fill = colour(track.model);
      heading(models[track.model], fill, values ? `${track.measure} ${text(values.low)} to ${text(values.high)}` : '');
      const moments = track.moments.slice(0, top);
      const highest = Math.max(...moments.map((row) => row[2] ?? 1), 1e-9);
      moments.forEach((row, rank) => {
        const score = row[2] === undefined ? '' : `, score ${text(row[2])}`;
        const strength = row[2] === undefined ? 0.85 : 0.25 + 0.65 * Math.min(Math.max(row[2] / highest, 0), 1);
        bar(svg, row, y, 9, x, fill, strength, `${rank + 1}: ${clock(row[0])} – ${clock(row[1])}${score}`);
        if (row[2] !== undefined) {
          // Behind the bar, else before it, else in it.
          const left = x(Math.max(row[0], 0)), right = x(row[1]);
          const inside = right >= width - 42 && left <= 42;
          const place = inside ? [right - 4, 'end'] : right < width - 42 ? [right + 4, 'start'] : [left - 4, 'end'];
          const label = shape('text', { x: place[0], y: y + 8.5, 'text-anchor': place[1], 'font-size': 10, 'pointer-events': 'none' }, row[2].toFixed(2));
          if (inside) label.style.fill = strength > 0.6 ? '#fff' : '#111';
          svg.append(label);
        }
        y += 12;
      });
      if (!moments.length) {
        svg.append(shape('text', { x: side + 14, y: y + 9 }, 'no moment predicted'));
        y += 14;
      }
      if (values) {
        curve(svg, values, track.clip, y + 3, 30, x, fill);
        y += 36;
      }
      y += 6;
    }
    const every = step(length, width);
    for (let seconds = 0; seconds <= length; seconds += every) {
      grid.append(shape('line', { x1: x(seconds), x2: x(seconds), y1: 0, y2: y, stroke: '#e8ebef' }));
      const last = x(seconds) > width - 20;
      grid.append(shape('text', { x: last ? width - side : Math.max(x(seconds), side), y: y + 13, 'text-anchor': last ? 'end' : seconds ? 'middle' : 'start' }, clock(seconds)));
    }
    const head = shape('line', { y1: 0, y2: y, stroke: '#111', 'stroke-width': 1.5, 'stroke-dasharray': '3 2', class: 'head' });
    svg.append(head);
    svg.setAttribute('height', y + 18);
    svg.show = (seconds) => {
      head.setAttribute('x1', x(seconds));
      head.setAttribute('x2', x(seconds));
      head.setAttribute('visibility', player || seconds > 0 ? 'visible' : 'hidden');
    };
    svg.show(now);
    svg.addEventListener('click', (event) => {
      const box = svg.getBoundingClientRect();
      seek((event.clientX - box.left - side) / (width - 2 * side) * length);
    });
    return svg;
  }
  // The small picture of an item of the list.
  function strip(entry) {
    const length = lengthOf(entry), tracks = entry.tracks, lane = 4;
    const rows = (entry.truth === null ? 0 : 1) + tracks.length;
    const svg = shape('svg', { viewBox: `0 0 400 ${rows * lane + 1}`, height: rows * lane + 1, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    const put = (row, lane_, fill) => svg.append(shape('rect', { x: Math.max(row[0], 0) / length * 400, y: lane_ * lane, width: Math.max((row[1] - Math.max(row[0], 0)) / length * 400, 3), height: 3, fill }));
    svg.append(shape('rect', { x: 0, y: 0, width: 400, height: rows * lane - 1, fill: '#f0f2f5' }));
    (entry.truth || []).forEach((row) => put(row, 0, TRUTH));
    tracks.forEach((track, at) => { if (track.moments.length) put(track.moments[0], at + (entry.truth === null ? 0 : 1), colour(track.model)); });
    return svg;
  }

  // ---- the chosen query ----
  function seek(seconds) {
    if (!chosen) return;
    now = Math.min(Math.max(seconds, 0), lengthOf(chosen));
    if (player) player.currentTime = now;
    showTime();
    tell({ type: 'vtg-seek', time: now, entry: chosen.qid, index: entries.indexOf(chosen) });
  }
  // To a page around this one, which may play the video.
  function tell(message) {
    if (window.parent !== window) window.parent.postMessage(message, '*');
  }
  window.addEventListener('message', (event) => {
    if (event.source !== window.parent || !chosen || !event.data || event.data.type !== 'vtg-time') return;
    now = Math.min(Math.max(Number(event.data.time) || 0, 0), lengthOf(chosen));
    showTime();
  });
  function showTime() {
    const svg = document.querySelector('.timeline'), label = $('time');
    if (svg) svg.show(now);
    if (label) label.textContent = clock(now);
  }
  function videoOf(entry) {
    // A relative path or http(s): never a script.
    if (!entry.source || !/^(https?:\/\/|\.)/.test(entry.source)) return null;
    if (player && player.dataset.source === entry.source) return player;
    const video = element('video', { controls: '', preload: 'metadata', playsinline: '', 'data-source': entry.source, src: entry.source });
    // An element that was replaced may still have something to say.
    video.addEventListener('timeupdate', () => { if (video === player) { now = video.currentTime; showTime(); } });
    player = video;
    return video;
  }
  function show(entry, move) {
    const before = chosen;
    chosen = entry;
    const detail = $('detail');
    const fact = (name, value) => element('span', {}, `${name} `, element('b', {}, value));
    const facts = element('p', { class: 'facts' });
    if (entry.qid) facts.append(fact('qid', entry.qid));
    if (entry.video) facts.append(fact('video', entry.video));
    if (entry.duration) facts.append(fact('length', clock(entry.duration)));
    columns.forEach((name, at) => {
      const value = entry.values[at];
      if (value !== null && value !== '') facts.append(fact(name, text(value)));
    });
    const video = videoOf(entry);
    if (player && player !== video) player.pause();
    if (!video) player = null;
    if (!video || !before || before.source !== entry.source) now = 0;
    facts.append(element('span', {}, 'time ', element('b', { id: 'time' }, clock(now))));
    detail.replaceChildren(element('h3', {}, entry.query), facts, ...(video ? [video] : []));
    for (const item of document.querySelectorAll('.item')) item.setAttribute('aria-selected', String(item.entry === entry));
    place();
    draw();
    tell({ type: 'vtg-show', index: entries.indexOf(entry) });
    if (move) {
      const item = [...document.querySelectorAll('.item')].find((one) => one.entry === entry);
      if (item) item.scrollIntoView({ block: isNarrow() ? 'start' : 'nearest' });
    }
    try { if (window.parent === window) history.replaceState(null, '', `#query=${encodeURIComponent(entry.qid)}`); } catch { /* a page without an address */ }
  }
  function draw() {
    const detail = $('detail'), old = detail.querySelector('.timeline');
    const style = getComputedStyle(detail);
    const width = Math.floor(detail.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
    if (!chosen || width < 50) return;
    const made = timeline(chosen, width);
    if (old) old.replaceWith(made); else detail.append(made);
  }
  // On a narrow screen the details stand below their item.
  const isNarrow = () => entries.length > 1 && window.matchMedia('(max-width: 800px)').matches;
  function place() {
    const detail = $('detail'), narrow = isNarrow();
    const item = [...document.querySelectorAll('.item')].find((one) => one.entry === chosen);
    if (narrow && item) {
      if (item.nextSibling !== detail) item.after(detail);
    } else if (detail.parentNode !== document.querySelector('.browser')) {
      document.querySelector('.browser').append(detail);
    }
  }

  // ---- the list ----
  function select(id, options, chosenName) {
    for (const name of options) {
      const option = element('option', {}, name);
      if (name === chosenName) option.setAttribute('selected', '');
      $(id).append(option);
    }
  }
  const categories = [];
  function prepare() {
    // One query needs neither list nor filters.
    if (entries.length === 1) $('queries').classList.add('single');
    select('count', COUNTS.keys());
    select('length', LENGTHS.keys());
    const unknown = entries.every((entry) => entry.truth === null);
    for (const id of ['count-label', 'length-label']) $(id).hidden = unknown || entries.length < 2;
    columns.forEach((name, at) => {
      if (numeric[at]) return;
      const values = [...new Set(entries.map((entry) => entry.values[at]).filter(Boolean))].sort();
      if (values.length < 2 || values.length > 40) return;
      const choice = element('select', {}, element('option', { value: '' }, 'any'), ...values.map((value) => element('option', {}, value)));
      choice.addEventListener('change', filter);
      $('categories').append(element('label', {}, `${name} `, choice));
      categories.push([at, choice]);
    });
    select('order', ['as given', ...columns.filter((_, at) => numeric[at])], data.order);
    for (const id of ['count', 'length', 'order', 'falling']) $(id).addEventListener('change', filter);
    $('text').addEventListener('input', filter);
    $('top').addEventListener('change', draw);
    $('more').addEventListener('click', () => { shown += PART; list(); });
    new ResizeObserver(() => { place(); draw(); }).observe(document.querySelector('.browser'));
    new ResizeObserver(() => tell({ type: 'vtg-size', height: document.body.scrollHeight })).observe(document.body);
  }
  const inside = (value, limits) => !limits || (value >= limits[0] && value <= limits[1]);
  function filter() {
    const words = $('text').value.toLowerCase().split(/\s+/).filter(Boolean);
    const count = COUNTS.get($('count').value), range = LENGTHS.get($('length').value);
    const at = columns.indexOf($('order').value), sign = $('falling').checked ? -1 : 1;
    found = entries.filter((entry) => {
      const haystack = `${entry.query} ${entry.qid} ${entry.video}`.toLowerCase();
      return words.every((word) => haystack.includes(word))
        && (!count || (entry.truth !== null && inside(entry.truth.length, count)))
        && (!range || (entry.truth || []).some((row) => row[1] - row[0] > range[0] && row[1] - row[0] <= range[1]))
        && categories.every(([column, choice]) => !choice.value || entry.values[column] === choice.value);
    });
    if (at >= 0) {
      // Queries without the number come last.
      const key = (entry) => typeof entry.values[at] === 'number' ? sign * entry.values[at] : Infinity;
      found = found.map((entry) => [key(entry), entry]).sort((a, b) => a[0] === b[0] ? 0 : a[0] < b[0] ? -1 : 1).map((pair) => pair[1]);
    } else if (sign < 0) found.reverse();
    shown = PART;
    list();
    if (found.length) show(found[0], false);
    if (!found.length) { chosen = null; player = null; $('detail').replaceChildren(); place(); }
  }
  function list() {
    const at = columns.indexOf($('order').value);
    const items = found.slice(0, shown).map((entry) => {
      const item = element('li', { class: 'item', role: 'option', tabindex: '0', 'aria-selected': String(entry === chosen) });
      const value = at < 0 ? null : entry.values[at];
      item.append(element('span', { class: 'sentence' }, entry.query), element('span', { class: 'side' }, value === null ? '' : text(value)), strip(entry));
      item.entry = entry;
      item.addEventListener('click', () => show(entry, false));
      item.addEventListener('keydown', (event) => { if (event.key === 'Enter') show(entry, false); });
      return item;
    });
    if (!items.length) items.push(element('li', { class: 'nothing' }, 'No query fits these filters.'));
    document.querySelector('.browser').append($('detail')); // on a narrow screen it is in the list
    $('list').replaceChildren(...items);
    $('more').hidden = found.length <= shown;
    $('number').textContent = found.length === entries.length ? `${entries.length} queries` : `${found.length} of ${entries.length} queries`;
    place();
  }
  function neighbour(offset) {
    const at = Math.min(Math.max(found.indexOf(chosen) + offset, 0), found.length - 1);
    if (at < 0) return;
    if (at >= shown) { shown = at + PART; list(); }
    show(found[at], true);
  }
  document.addEventListener('keydown', (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA|VIDEO|BUTTON)$/.test(target.tagName)) return;
    if (!chosen) return;
    const moments = chosen.tracks.length ? chosen.tracks[0].moments : [];
    if (event.key === 'j') neighbour(1);
    else if (event.key === 'k') neighbour(-1);
    else if (event.key === 'ArrowLeft') seek(now - (event.shiftKey ? 5 : 1));
    else if (event.key === 'ArrowRight') seek(now + (event.shiftKey ? 5 : 1));
    else if (event.key === ' ' && player) { if (player.paused) player.play(); else player.pause(); }
    else if (/^[1-9]$/.test(event.key) && moments[event.key - 1]) seek(moments[event.key - 1][0]);
    else return;
    event.preventDefault();
  });

  const linked = /^#query=(.*)$/.exec(location.hash); // before the first query is shown and named there
  prepare();
  filter();
  if (linked) {
    const entry = entries.find((one) => one.qid === decodeURIComponent(linked[1]));
    if (entry) { show(entry, true); $('queries').scrollIntoView(); }
  }
})();
