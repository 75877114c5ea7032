// The map on a canvas: drag and pinch to move, wheel to zoom, click or Enter to listen. What plays
// next is what lies next to it. Points are those of `/v1/map`, words those of `/v1/map/regions`.
const COLOURS = { genre: "Genre", year: "Year", loudness: "Energy" };
const REACH = 14; // pixels from which a pointer finds a point
const NEIGHBOURS = 40;
const WAITING = "Drawing the map";

export default {
  template: `
    <div class="map-frame" ref="frame">
      <canvas ref="canvas" tabindex="0" role="application" :aria-label="label"
        @pointerdown="press" @pointermove="move" @pointerup="release" @pointercancel="release"
        @pointerleave="hover = -1; draw()" @wheel.prevent="wheel" @keydown="key"></canvas>
      <div class="visually-hidden" aria-live="polite">{{ told }}</div>
      <div v-if="state" class="empty map-state" role="status">
        <q-spinner v-if="state === WAITING" size="32px" />{{ state }}
      </div>
      <div v-else class="map-about" ref="about">
        <div class="map-count">{{ number.toLocaleString() }} {{ number === 1 ? "song" : "songs" }}; near is alike</div>
        <label class="map-colour">Colour
          <select v-model="by" aria-label="What colours mean" @change="remember">
            <option v-for="(name, field) in COLOURS" :key="field" :value="field">{{ name }}</option>
          </select>
        </label>
        <ul class="map-legend" aria-label="Colours">
          <li v-for="entry in legend" :key="entry.text"><i :style="{background: entry.colour}"></i>{{ entry.text }}</li>
        </ul>
      </div>
      <div class="map-zoom">
        <q-btn round dense unelevated icon="add" aria-label="Zoom in" title="Zoom in" @click="zoom(1.6)" />
        <q-btn round dense unelevated icon="remove" aria-label="Zoom out" title="Zoom out" @click="zoom(1 / 1.6)" />
        <q-btn round dense unelevated icon="fit_screen" aria-label="Show all" title="Show all" @click="reset" />
      </div>
    </div>`,
  props: { url: String, found: Array, place: Array },
  data: () => ({ state: WAITING, WAITING, COLOURS, told: "", number: 0, legend: [],
    by: "genre" }),
  computed: {
    label() {
      return `Map of ${this.number} songs. Arrow keys go from song to song, Enter plays, plus and minus zoom.`;
    },
  },
  watch: {
    found: "draw",
    place: "draw",
    by: "colour",
  },
  created() {
    // Not reactive: 20,000 points would be watched one by one.
    Object.assign(this, { points: [], words: [], palette: [], shades: [], view: { scale: 1, x: 0, y: 0 }, hover: -1, chosen: -1,
      now: "", pointers: new Map(), moved: 0, pinch: 0 });
  },
  async mounted() {
    this.follow = ({ detail }) => {
      if (detail.key !== this.now) { this.now = detail.key; this.draw(); }
    };
    window.addEventListener("muscall:now", this.follow);
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.$refs.frame);
    this.theme = new MutationObserver(() => this.colour());
    this.theme.observe(document.body, { attributeFilter: ["class"] });
    await this.load();
  },
  unmounted() {
    window.removeEventListener("muscall:now", this.follow);
    this.resizing.disconnect();
    this.theme.disconnect();
  },
  methods: {
    async load() {
      const fetched = async (url) => {
        const answer = await fetch((window.path_prefix || "") + url);
        if (!answer.ok) throw new Error();
        return answer.json();
      };
      try {
        this.points = await fetched(this.url);
        this.number = this.points.length;
        this.state = this.points.length ? "" : "Nothing to draw yet";
      } catch {
        this.state = "The map cannot be drawn now.";
      }
      this.index = new Map(this.points.map((point, at) => [point.key, at]));
      const chosen = localStorage.getItem("muscall-map-colour");
      this.by = chosen in COLOURS ? chosen : window.muscallUsual(this.points);
      this.colour();
      this.words = await fetched(`${this.url}/regions`).catch(() => []);
      this.draw();
    },
    remember() {
      localStorage.setItem("muscall-map-colour", this.by);
    },
    colour() {
      const dark = document.body.classList.contains("body--dark");
      Object.assign(this, window.muscallColours(this.points, this.by, dark));
      this.draw();
    },
    resize() {
      const { canvas, frame } = this.$refs;
      this.width = frame.clientWidth;
      this.height = frame.clientHeight;
      const ratio = window.devicePixelRatio || 1;
      canvas.width = this.width * ratio;
      canvas.height = this.height * ratio;
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
      this.paint();
    },
    // Where a place of the map is on the canvas; margins leave room for names and buttons.
    at(x, y) {
      const aside = Math.min(72, this.width / 7), above = 40, { scale, x: left, y: top } = this.view;
      return [left + scale * (aside + x * (this.width - 2 * aside)),
        top + scale * (above + y * (this.height - 2 * above))];
    },
    draw() {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.paint());
    },
    paint() {
      if (!this.$refs.canvas || !this.width) return;
      const context = this.$refs.canvas.getContext("2d");
      const style = getComputedStyle(document.body);
      const colour = (name) => style.getPropertyValue(name).trim();
      context.clearRect(0, 0, this.width, this.height);
      const many = this.points.length;
      const size = Math.min(9, Math.max(1.4, 60 / Math.sqrt(many + 1)) * this.view.scale ** 0.4);
      const buckets = this.palette.map(() => []);
      const seen = [];
      this.points.forEach(({ x, y }, at) => {
        const [left, top] = this.at(x, y);
        if (left < -9 || top < -9 || left > this.width + 9 || top > this.height + 9) return;
        buckets[this.shades[at] ?? 0]?.push(left, top);
        seen.push(at);
      });
      context.globalAlpha = this.found.length ? 0.5 : 0.85;
      buckets.forEach((places, shade) => {
        context.fillStyle = this.palette[shade];
        context.beginPath();
        for (let i = 0; i < places.length; i += 2) {
          context.moveTo(places[i] + size, places[i + 1]);
          context.arc(places[i], places[i + 1], size, 0, 7);
        }
        context.fill();
      });
      context.globalAlpha = 1;
      const ring = (at, radius, paint, width) => {
        if (at === undefined || at < 0) return;
        const [x, y] = this.at(this.points[at].x, this.points[at].y);
        context.beginPath();
        context.arc(x, y, radius, 0, 7);
        if (width) { context.lineWidth = width; context.strokeStyle = paint; context.stroke(); }
        else { context.fillStyle = paint; context.fill(); }
      };
      this.found.forEach((key) => {
        ring(this.index?.get(key), size + 3, colour("--surface"));
        ring(this.index?.get(key), size + 1.5, colour("--accent"));
      });
      ring(this.index?.get(this.now), size + 6, colour("--accent"), 2.5);
      ring(this.chosen, size + 4, colour("--text"), 2);
      this.named = this.taken(); // where there is something already
      if (this.place) this.star(context, this.at(...this.place), colour);
      this.words.forEach(({ text, x, y }) => this.write(context, text, ...this.at(x, y), 0, colour("--text"), "", "700 17px"));
      const best = this.found.slice(0, 8).map((key) => this.index?.get(key));
      best.forEach((at) => this.name(context, at, size, colour("--text")));
      if (seen.length <= 120) seen.forEach((at) => this.name(context, at, size, colour("--muted")));
      this.name(context, this.hover, size, colour("--text"), colour("--surface"));
      if (this.chosen !== this.hover) this.name(context, this.chosen, size, colour("--text"), colour("--surface"));
    },
    star(context, [x, y], colour) {
      context.beginPath();
      for (let tip = 0; tip < 10; tip += 1) {
        const reach = tip % 2 ? 7 : 17, turn = (tip * Math.PI) / 5 - Math.PI / 2;
        context.lineTo(x + reach * Math.cos(turn), y + reach * Math.sin(turn));
      }
      context.closePath();
      Object.assign(context, { fillStyle: colour("--text"), strokeStyle: colour("--surface"), lineWidth: 5 });
      context.stroke();
      context.fill();
      this.write(context, "Your search", x, y, 16, colour("--text"), colour("--surface"));
    },
    name(context, at, size, paint, ground) {
      if (at === undefined || at < 0) return;
      const { x, y, title, artist } = this.points[at];
      const [left, top] = this.at(x, y);
      const text = (ground && artist ? `${title} · ${artist}` : title).slice(0, 60);
      this.write(context, text, left, top, size, paint, ground);
    },
    // The boxes of what lies over the canvas.
    taken() {
      const own = this.$refs.frame.getBoundingClientRect();
      return [...this.$refs.frame.querySelectorAll(".map-about > *, .map-zoom"), ...document.querySelectorAll(".map-card")]
        .map((one) => one.getBoundingClientRect()).filter((box) => box.width)
        .map((box) => [box.left - own.left - 4, box.top - own.top - 4, box.right - own.left + 4, box.bottom - own.top + 4]);
    },
    // On a ground of its own it is always shown; otherwise where there is room for it.
    write(context, text, left, top, size, paint, ground, font = "500 12px") {
      context.font = `${font} Roboto, system-ui, sans-serif`;
      const wide = context.measureText(text).width;
      const begin = ground ? Math.max(8, Math.min(left - wide / 2, this.width - wide - 8)) : left - wide / 2;
      const base = top - size - 8 < 18 ? top + size + 18 : top - size - 8;
      const outside = begin < 6 || begin + wide > this.width - 6 || base > this.height - 8;
      const box = [begin - 4, base - 14, begin + wide + 4, base + 5];
      const over = ([a, b, c, d]) => a < box[2] && c > box[0] && b < box[3] && d > box[1];
      if (!ground && (outside || this.named.some(over))) return;
      this.named.push(box);
      if (ground) {
        context.fillStyle = ground;
        context.beginPath();
        context.roundRect(begin - 6, base - 13, wide + 12, 19, 6);
        context.fill();
      }
      if (!ground) { // a rim tells it from points below
        Object.assign(context, { strokeStyle: getComputedStyle(document.body).getPropertyValue("--surface"), lineWidth: 3, lineJoin: "round" });
        context.strokeText(text, begin, base);
      }
      context.fillStyle = paint;
      context.fillText(text, begin, base);
    },
    nearest(x, y, reach = REACH) {
      let best = -1, least = reach * reach;
      this.points.forEach((point, at) => {
        const [left, top] = this.at(point.x, point.y);
        const distance = (left - x) ** 2 + (top - y) ** 2;
        if (distance < least) [best, least] = [at, distance];
      });
      return best;
    },
    spot(event) {
      const box = this.$refs.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    },
    press(event) {
      this.$refs.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.spot(event));
      this.moved = 0;
    },
    move(event) {
      const [x, y] = this.spot(event), before = this.pointers.get(event.pointerId);
      if (!before) {
        this.hover = this.nearest(x, y);
        this.$refs.canvas.style.cursor = this.hover < 0 ? "grab" : "pointer";
        return this.draw();
      }
      this.moved += Math.hypot(x - before[0], y - before[1]);
      const share = 1 / this.pointers.size;
      this.view.x += (x - before[0]) * share;
      this.view.y += (y - before[1]) * share;
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const [was, is] = [before, [x, y]].map(([a, b]) => Math.hypot(a - other[0], b - other[1]));
        this.zoom(is / Math.max(was, 1), (x + other[0]) / 2, (y + other[1]) / 2);
      }
      this.pointers.set(event.pointerId, [x, y]);
      this.draw();
    },
    release(event) {
      const pressed = this.pointers.delete(event.pointerId);
      if (pressed && event.type === "pointerup" && this.moved < 6) this.choose(this.nearest(...this.spot(event)), true);
    },
    wheel(event) { this.zoom(Math.exp(-event.deltaY / 400), ...this.spot(event)); },
    zoom(times, x = this.width / 2, y = this.height / 2) {
      const scale = Math.min(60, Math.max(0.8, this.view.scale * times));
      const change = scale / this.view.scale;
      this.view = { scale, x: x - (x - this.view.x) * change, y: y - (y - this.view.y) * change };
      this.draw();
    },
    reset() {
      this.view = { scale: 1, x: 0, y: 0 };
      this.draw();
    },
    choose(at, play) {
      this.chosen = at;
      this.draw();
      if (at < 0) return;
      const { key, x, y, title, artist } = this.points[at];
      this.told = artist ? `${title} by ${artist}` : title;
      if (!play) return;
      const away = this.points.map((point, other) => [(point.x - x) ** 2 + (point.y - y) ** 2, other]);
      const near = away.sort((a, b) => a[0] - b[0]).slice(0, NEIGHBOURS);
      window.muscall?.play(near.map(([, other]) => this.points[other]), key);
      this.$emit("picked", key);
    },
    key(event) {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const way = ways[event.key];
      if (way) this.step(way);
      else if (event.key === "Enter" && this.chosen >= 0) this.choose(this.chosen, true);
      else if (event.key === "+" || event.key === "=") this.zoom(1.4);
      else if (event.key === "-") this.zoom(1 / 1.4);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    // The next song that way: near, and more that way than to its sides.
    step([right, down]) {
      if (this.chosen < 0) return this.choose(this.nearest(this.width / 2, this.height / 2, Infinity));
      const { x, y } = this.points[this.chosen];
      let best = -1, least = Infinity;
      this.points.forEach((point, at) => {
        const along = (point.x - x) * right + (point.y - y) * down;
        const aside = Math.abs((point.x - x) * down) + Math.abs((point.y - y) * right);
        const effort = along + 2 * aside;
        if (along > 1e-9 && aside <= 2 * along && effort < least) [best, least] = [at, effort];
      });
      if (best >= 0) this.choose(best);
    },
  },
};
