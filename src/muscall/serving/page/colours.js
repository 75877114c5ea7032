// What the colours of the map mean: `palette` are colours, of which `shades` tells each point's; the
// last one is of what is not known. `legend` says them to the eye.
(() => {
  const GENRES = 7; // with a colour of their own
  const STEPS = 12; // of a scale
  const NOTHING = /^\W*(none|unknown|other|misc|n\/?a)?\W*$/;

  // Tags spell a genre in many ways, and say in some that they say nothing.
  const genreOf = ({ genre }) => genre.split(/[;,/]/)[0].trim().toLowerCase().replace(NOTHING, "");

  function genres(points, shade) {
    const names = points.map(genreOf), counts = new Map();
    for (const name of names) if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
    const first = [...counts].sort((a, b) => b[1] - a[1]).slice(0, GENRES).map(([name]) => name);
    const shades = names.map((name) => (first.includes(name) ? first.indexOf(name) : first.length));
    const palette = first.map((_, at) => shade((12 + (at * 360) / GENRES) % 360));
    return { palette, shades, said: first.map((text, at) => [text, at]), rest: "others" };
  }

  function scale(values, ends, shade) {
    const known = values.filter((value) => value !== null).sort((a, b) => a - b);
    const [low, high] = [0.02, 0.98].map((share) => known[Math.floor(share * (known.length - 1))]);
    const step = (value) => Math.floor(((value - low) / (high - low || 1)) * STEPS);
    const shades = values.map((value) => (value === null ? STEPS : Math.max(0, Math.min(STEPS - 1, step(value)))));
    const palette = [...Array(STEPS).keys()].map((at) => shade(260 - (at * 245) / (STEPS - 1)));
    const [first, last] = ends ?? [low, high];
    return { palette, shades, said: known.length ? [[first, 0], [last, STEPS - 1]] : [], rest: "unknown" };
  }

  // What tells most where nobody has chosen: the genre, if most points have one.
  window.muscallUsual = (points) => (2 * points.filter(genreOf).length >= points.length ? "genre" : "loudness");

  window.muscallColours = (points, field, dark) => {
    const light = dark ? 64 : 44, shade = (hue) => `hsl(${hue} 62% ${light}%)`;
    const found = field === "genre" ? genres(points, shade)
      : scale(points.map((point) => point[field]), field === "loudness" ? ["calm", "loud"] : null, shade);
    const palette = [...found.palette, `hsl(30 6% ${light}%)`], none = found.palette.length;
    const said = found.shades.includes(none) ? [...found.said, [found.rest, none]] : found.said;
    return { palette, shades: found.shades, legend: said.map(([text, at]) => ({ text, colour: palette[at] })) };
  };
})();
