'use strict';
(() => {
  const $ = (query) => document.querySelector(query);
  const video = () => $('#vtg-player video');
  const listOf = (element, name) => JSON.parse((element && element.dataset[name]) || '[]');
  let stop = null;

  // Puts a video of the choice into the player; its place is its number in the choice.
  function use(place) {
    const player = video();
    if (!player) return null;
    const figure = player.closest('figure'), source = listOf(figure, 'sources')[place];
    if (source && player.getAttribute('src') !== source) {
      player.setAttribute('src', source);
      const caption = figure.querySelector('figcaption');
      if (caption) caption.textContent = listOf(figure, 'names')[place];
      figure.querySelector('.vtg-unplayable').hidden = true;
    }
    return player;
  }
  function seek(place, seconds, end) {
    const player = use(place);
    if (!player) return;
    stop = end;
    player.currentTime = seconds;
    tellTime(seconds);
    if (end === null) return;
    player.play().catch(() => {}); // what cannot be played says so below the player
    player.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  }
  const frames = () => [...document.querySelectorAll('.vtg-frame iframe')];
  function tellTime(time) {
    for (const frame of frames()) frame.contentWindow.postMessage({ type: 'vtg-time', time }, '*');
  }

  window.addEventListener('message', (event) => {
    const frame = frames().find((one) => one.contentWindow === event.source), data = event.data;
    if (!frame || !data) return;
    const place = listOf(frame.closest('.vtg-frame'), 'places')[data.index];
    if (data.type === 'vtg-seek') seek(place, Number(data.time) || 0, null);
    else if (data.type === 'vtg-show') use(place);
    else if (data.type === 'vtg-size') frame.style.height = `${Math.min(Math.max(Number(data.height) || 0, 120), 6000)}px`;
  });
  document.addEventListener('click', (event) => {
    const button = event.target.closest && event.target.closest('.vtg-moments button');
    if (button) seek(Number(button.dataset.place), Number(button.dataset.start), Number(button.dataset.end));
  });
  // These events do not bubble, but can be seen on their way down.
  document.addEventListener('timeupdate', (event) => {
    const player = video();
    if (event.target !== player) return;
    tellTime(player.currentTime);
    if (stop !== null && player.currentTime >= stop) {
      stop = null;
      player.pause();
    }
  }, true);
  document.addEventListener('error', (event) => {
    const player = video();
    if (player && event.target === player) player.closest('figure').querySelector('.vtg-unplayable').hidden = false;
  }, true);
})();
