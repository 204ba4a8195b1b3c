// What keeps people out of a page as it is shown: run in the page, it gives [what, where] for each fault.
async () => {
  const { contrast } = await import('/static/js/kiosk/theme.js');
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce(
      (below, [r, g, b, a]) => [r, g, b].map((value, i) => value * a + below[i] * (1 - a)), [255, 255, 255]);
  };
  const seen = [...document.body.querySelectorAll('*')].filter((one) => one.checkVisibility({ visibilityProperty: true }));
  const faults = [];
  for (const one of seen) {
    const said = one.innerText?.trim() || one.getAttribute('aria-label') || '';
    if (one.matches('button, a, [role=meter], [role=progressbar], [role=img]') && !said) faults.push(['no name', one.outerHTML]);
    if (one.matches('img') && !one.hasAttribute('alt')) faults.push(['no alt', one.outerHTML]);
    if (one.matches('button') && !one.matches('.wake')) {
      const { width, height } = one.getBoundingClientRect();
      if (Math.min(width, height) < 44) faults.push(['small target', `${one.innerText} ${width} x ${height}`]);
    }
    const own = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || one.closest('.stage, .unseen, .veil, noscript')) continue;
    const style = getComputedStyle(one);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = contrast(rgba(style.color).slice(0, 3), ground(one));
    if (ratio < (large ? 3 : 4.5)) faults.push(['contrast', `${ratio.toFixed(2)} of ${one.innerText}`]);
  }
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  if (new Set(ids).size !== ids.length) faults.push(['an id twice', String(ids)]);
  for (const one of document.querySelectorAll('[aria-labelledby]'))
    if (!document.getElementById(one.getAttribute('aria-labelledby'))) faults.push(['label missing', one.outerHTML]);
  if (!document.documentElement.lang || !document.title) faults.push(['no language or title', '']);
  return faults;
}
