// A waveform of bars, each in one of six heats, with the best passage marked and the place that
// plays. Colours are the style sheet's.
(() => {
  const HEATS = 6;

  window.muscallWaveform = {
    template: `
      <div class="waveform" role="img" :aria-label="told" :title="hint" @click.stop="seek">
        <div v-if="passage && duration" class="waveform-passage" :style="span"></div>
        <svg v-if="peaks.length" :viewBox="'0 0 ' + peaks.length * 3 + ' 100'"
          preserveAspectRatio="none" aria-hidden="true">
          <path v-for="(path, heat) in paths" :key="heat" :d="path" :class="'heat-' + heat" />
        </svg>
        <div v-else class="waveform-waiting"></div>
        <div v-if="share !== null" class="waveform-now" :style="{left: 100 * share + '%'}"></div>
      </div>`,
    props: { list: String, track: String, duration: Number, peaks: Array, matches: Array, passage: Array },
    data: () => ({ share: null }),
    computed: {
      paths() {
        const paths = Array(HEATS).fill("");
        this.peaks.forEach((peak, bar) => {
          const match = this.matches[bar];
          const heat = match === undefined ? 0 : 1 + Math.min(HEATS - 2, Math.floor(Math.sqrt(match) * (HEATS - 1)));
          const height = Math.max(3, 96 * peak);
          paths[heat] += `M${3 * bar} ${50 - height / 2}h2v${height}h-2z`;
        });
        return paths;
      },
      span() {
        const [start, seconds] = this.passage;
        return { left: (100 * start) / this.duration + "%",
          width: Math.min(100, (100 * seconds) / this.duration) + "%" };
      },
      clock() {
        const [start] = this.passage || [0];
        return `${Math.floor(start / 60)}:${String(Math.floor(start % 60)).padStart(2, "0")}`;
      },
      told() { return this.passage ? `Waveform; the best passage begins at ${this.clock}` : "Waveform"; },
      hint() { return this.passage ? `Best passage at ${this.clock}; click to play from anywhere` : "Click to play from anywhere"; },
    },
    mounted() { window.addEventListener("muscall:now", this.follow); },
    unmounted() { window.removeEventListener("muscall:now", this.follow); },
    methods: {
      follow({ detail }) {
        const share = detail.key === this.track ? detail.share : null;
        if (share !== this.share) this.share = share;
      },
      seek(event) {
        const box = this.$el.getBoundingClientRect();
        const share = (event.clientX - box.left) / box.width;
        window.muscall?.play(this.list, this.track, share * this.duration);
      },
    },
  };
})();
