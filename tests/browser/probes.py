"""What tests ask of a page, in the browser's own language."""

OUTLINE = "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => +h.tagName[1])"

# links within the page to what is not there
LINKS = """() => [...document.querySelectorAll('a[href^="#"]')]
  .map(a => a.getAttribute('href').slice(1))
  .filter(id => !document.getElementById(id))"""

# files that links lead to
FILES = """() => [...document.querySelectorAll('a[href]:not([href^="#"])')]
  .map(a => a.getAttribute('href').split('#')[0])"""

# pictures that a reader who does not see them is told nothing of
PICTURES = """() => [...document.querySelectorAll('img, svg')]
  .filter(e => !(e.getAttribute('alt') || e.getAttribute('aria-label') || e.querySelector('title')
    || e.closest('[role=img][aria-label]') || e.getAttribute('aria-hidden')))
  .map(e => e.outerHTML.slice(0, 80))"""

# how many formulas there are, and those that are shown in no space
MATHML = """() => {
  const all = [...document.querySelectorAll('math')];
  const shown = all.filter(e => e.checkVisibility());
  const empty = shown.filter(e => {
    const box = e.getBoundingClientRect();
    return box.width < 2 || box.height < 4;
  });
  return [all.length, empty.map(e => e.getAttribute('alttext'))];
}"""

# characters that are drawn as the box for a missing one: they look like one that nothing has
GLYPHS = """() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 48;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const drawn = (character, font) => {
    pen.clearRect(0, 0, 48, 48);
    pen.font = '32px ' + font;
    pen.fillText(character, 4, 36);
    return pen.getImageData(0, 0, 48, 48).data.join();
  };
  const found = new Set();
  for (const font of ['math', 'serif', 'sans-serif', 'monospace']) {
    const missing = drawn('\\uFFFFF'[0], font), unused = drawn('\\u0378', font);
    for (const character of new Set(document.body.textContent)) {
      if (/[\\s\\u200b\\u2061-\\u2064]/.test(character)) continue;
      const picture = drawn(character, font);
      if (picture === unused || picture === missing) found.add(character);
    }
  }
  return [...found];
}"""

# texts with too little contrast to what lies behind them
CONTRASTS = """least => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const over = (top, below) => {
    const a = top[3] / 255;
    return [0, 1, 2].map(k => top[k] * a + below[k] * (1 - a)).concat(255);
  };
  const behind = element => {
    if (!element) return rgb('Canvas');
    const own = rgb(getComputedStyle(element).backgroundColor);
    return own[3] === 255 ? own : over(own, behind(element.parentElement));
  };
  const wrong = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const ink = element.closest('svg') ? style.fill : style.color;
    let shown = rgb(ink);
    for (let e = element; e; e = e.parentElement) shown[3] *= getComputedStyle(e).opacity;
    if (!shown[3]) continue;
    const [a, b] = [light(over(shown, back)), light(back)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < least) wrong.set(ink + ' on ' + back, contrast.toFixed(2));
  }
  return [...wrong];
}"""

# shapes beside arrows that stand on a box or on each other, and words wider than their boxes
COLLISIONS = """() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg.graph')) {
    const boxes = [...svg.querySelectorAll('rect')].map(e => e.getBoundingClientRect());
    const words = [...svg.querySelectorAll('text')];
    const inBox = words.filter(e => e.parentElement.querySelector(':scope > rect'));
    const beside = words.filter(e => !e.parentElement.querySelector(':scope > rect'));
    const places = beside.map(e => e.getBoundingClientRect());
    const meet = (a, b) => a.left < b.right - 0.5 && b.left < a.right - 0.5
      && a.top < b.bottom - 2 && b.top < a.bottom - 2;
    places.forEach((place, k) => {
      if (boxes.some(box => meet(place, box))) found.push(beside[k].textContent + ' on a box');
      places.slice(0, k).forEach((other, i) => {
        if (meet(place, other)) found.push(beside[k].textContent + ' on ' + beside[i].textContent);
      });
    });
    for (const e of inBox) {
      const room = e.parentElement.querySelector(':scope > rect').getBoundingClientRect();
      const place = e.getBoundingClientRect();
      if (place.left < room.left || place.right > room.right) found.push(e.textContent);
    }
  }
  return found;
}"""

# what a screen reader is told nothing of, or twice: parts without a landmark, empty headings of
# columns, controls within what counts as one picture
SILENT = """() => {
  const landmarks = 'main, nav, aside, body > .page > header';
  return [
    ...[...document.querySelectorAll('body :is(p, h1, h2, table, input, a)')]
      .filter(e => !e.closest(landmarks)),
    ...[...document.querySelectorAll('th')].filter(e => !e.textContent.trim()),
    ...[...document.querySelectorAll('[role=img] a, [role=img] button')],
    ...[...document.querySelectorAll('svg a')].filter(e => !e.getAttribute('aria-label')),
  ].map(e => e.outerHTML.slice(0, 80));
}"""

# numbers of errors that are written as a machine does
E_NUMBERS = """() => [...document.querySelectorAll('.check, #steps > .hint')]
  .map(e => e.textContent).filter(text => /\\de-?\\d/.test(text))"""

# how many characters are shown, but for what is there to be copied
VISIBLE = """() => {
  let shown = 0;
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element.closest('annotation, .tex') || !element.checkVisibility()) continue;
    shown += walker.currentNode.data.trim().length;
  }
  return shown;
}"""
