// The player. `window.muscall.play(list, key, start)` plays a track of a list that the server has
// offered by name, or of a list of items; the event "muscall:now" tells waveforms and the map of it.
const WALK = 50; // songs
// They outlive the page's parts, which a new connection makes anew.
const audio = document.body.appendChild(new Audio());
audio.preload = "auto";
const kept = { queue: [], at: -1, radio: null, start: 0, time: 0, duration: 0, asFlac: false };
const minutes = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds || 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

export default {
  template: `
    <div class="player" role="region" aria-label="Player" :class="{idle: !track}">
      <component :is="'style'">{{ highlight }}</component>
      <div class="player-track">
        <img v-if="track" class="cover" :src="cover(track.key)" alt="">
        <div v-else class="cover cover-none"><q-icon name="music_note" /></div>
        <div class="player-about" aria-live="polite">
          <div class="title">{{ track ? track.title : "Nothing plays yet" }}</div>
          <div class="artist">{{ track ? track.artist : "Pick a song to listen to" }}</div>
        </div>
      </div>
      <div class="player-centre">
        <div class="player-buttons">
          <q-btn flat round dense icon="skip_previous" aria-label="Previous (p)" title="Previous (p)"
            :disable="!track" @click="previous" />
          <q-btn round unelevated class="player-play" :icon="playing ? 'pause' : 'play_arrow'"
            :aria-label="playing ? 'Pause (space)' : 'Play (space)'"
            :title="playing ? 'Pause (space)' : 'Play (space)'" :disable="!track" @click="toggle" />
          <q-btn flat round dense icon="skip_next" aria-label="Next (n)" title="Next (n)"
            :disable="at + 1 >= queue.length" @click="next" />
          <q-btn flat round dense icon="o_radio" aria-label="Play on with songs near this one (r)"
            title="Play on with songs near this one (r)" :disable="!track" @click="walk" />
        </div>
        <div class="player-seek">
          <span class="time">{{ minutes(time) }}</span>
          <q-slider dense :min="0" :max="duration || 1" :step="0.1" :model-value="time"
            :disable="!track" aria-label="Position in the song" @update:model-value="seek" />
          <span class="time">{{ minutes(duration) }}</span>
        </div>
      </div>
      <div class="player-more">
        <q-btn flat round dense icon="o_thumb_up" aria-label="More like this" title="More like this"
          :disable="!track" @click="tell('more')" />
        <q-btn flat round dense icon="playlist_add" aria-label="Add to the playlist"
          title="Add to the playlist" :disable="!track" @click="tell('keep')" />
        <q-btn v-if="radio" flat round dense icon="o_bookmark" aria-label="Save this radio"
          title="Save this radio" @click="$emit('radio', { key: radio.key, title: radio.title })" />
        <q-btn flat round dense class="player-mute" :icon="muted || !volume ? 'volume_off' : 'volume_up'"
          :aria-label="muted ? 'Sound on (m)' : 'Mute (m)'" title="Mute (m)" @click="mute" />
        <q-slider dense class="player-volume" :min="0" :max="1" :step="0.05" :model-value="volume"
          aria-label="Volume" @update:model-value="loudness" />
      </div>
    </div>`,
  props: { lists: Object, page: String },
  data: () => ({
    ...kept, playing: !audio.paused, muted: audio.muted,
    volume: Number(localStorage.getItem("muscall-volume") ?? 0.9),
  }),
  computed: {
    name() { return this.playing && this.track ? `${this.track.title} · muscall` : this.page; },
    track() { return this.queue[this.at]; },
    // A rule rather than a class on elements: what the server shows later is marked as well.
    highlight() {
      if (!this.track) return "";
      const here = `[data-key="${CSS.escape(this.track.key)}"]`;
      const pause = `${here} .when-idle{display:none}${here} .when-playing{display:inline-flex}`;
      return `${here}{--playing:1;border-color:var(--accent)!important}
        ${here} .title{color:var(--accent-text)}${this.playing ? pause : ""}`;
    },
  },
  watch: {
    playing: "announce",
    name: { handler(name) { document.title = name; }, immediate: true },
  },
  mounted() {
    audio.volume = this.volume;
    this.handlers = { play: () => { this.playing = true; }, pause: () => { this.playing = false; },
      ended: this.ended, error: this.failed, timeupdate: this.tick, loadedmetadata: this.begin };
    for (const [event, handler] of Object.entries(this.handlers)) audio.addEventListener(event, handler);
    window.muscall = {
      play: this.play, toggle: this.toggle, next: this.next, previous: this.previous,
      mute: this.mute, walk: this.walk, playSaved: this.playSaved, skip: (seconds) => this.track && this.seek(this.time + seconds),
    };
    const media = navigator.mediaSession;
    if (!media) return;
    const actions = { play: this.toggle, pause: this.toggle, nexttrack: this.next,
      previoustrack: this.previous, seekto: (to) => this.seek(to.seekTime),
      seekbackward: (to) => this.seek(this.time - (to.seekOffset || 10)),
      seekforward: (to) => this.seek(this.time + (to.seekOffset || 10)) };
    Object.entries(actions).forEach(([name, action]) => media.setActionHandler(name, action));
  },
  unmounted() {
    for (const [event, handler] of Object.entries(this.handlers)) audio.removeEventListener(event, handler);
    for (const name of Object.keys(kept)) kept[name] = this[name];
    delete window.muscall;
  },
  methods: {
    minutes,
    cover: (key) => `${window.path_prefix || ""}/page/cover/${encodeURIComponent(key)}`,
    play(list, key, start) {
      const items = typeof list === "string" ? this.lists[list] || [] : list;
      const at = key === undefined ? 0 : items.findIndex((item) => item.key === key);
      if (at < 0 || !items.length) return;
      if (this.track?.key === items[at].key && key !== undefined) {
        if (start === undefined) return this.toggle();
        this.seek(start);
        audio.play();
        return;
      }
      this.queue = [...items];
      this.radio = null;
      this.load(at, start);
    },
    load(at, start) {
      this.at = at;
      this.start = start ?? this.track.start ?? 0;
      this.time = this.start;
      this.duration = this.track.duration ?? 0;
      this.listen(false);
      if (navigator.mediaSession) {
        navigator.mediaSession.metadata = new MediaMetadata({
          title: this.track.title, artist: this.track.artist,
          artwork: [{ src: this.cover(this.track.key), sizes: "512x512" }],
        });
      }
      this.announce();
    },
    listen(asFlac) {
      this.asFlac = asFlac;
      const key = encodeURIComponent(this.track.key);
      audio.src = `${window.path_prefix || ""}/v1/tracks/${key}/audio${asFlac ? "?as=flac" : ""}`;
      audio.play().catch(() => {}); // a failure comes as an event of its own
    },
    begin() {
      const told = audio.duration;
      if (Number.isFinite(told)) this.duration = told;
      if (this.start) audio.currentTime = Math.min(this.start, this.duration - 1);
    },
    tick() {
      this.time = audio.currentTime;
      this.announce();
    },
    announce() {
      if (!this.track) return;
      const detail = { key: this.track.key, share: this.duration ? this.time / this.duration : 0,
        playing: this.playing };
      window.dispatchEvent(new CustomEvent("muscall:now", { detail }));
      if (!navigator.mediaSession) return;
      navigator.mediaSession.playbackState = this.playing ? "playing" : "paused";
      if (this.duration > 0 && this.time <= this.duration) {
        navigator.mediaSession.setPositionState({ duration: this.duration, position: this.time });
      }
    },
    toggle() {
      if (!this.track) return;
      if (audio.paused) audio.play().catch(() => {});
      else audio.pause();
    },
    seek(seconds) {
      this.time = Math.min(Math.max(0, seconds), this.duration);
      audio.currentTime = this.time;
      this.announce();
    },
    next() { if (this.at + 1 < this.queue.length) this.load(this.at + 1); },
    async playSaved(name) {
      const at = `${window.path_prefix || ""}/v1/playlists/${encodeURIComponent(name)}`;
      const answer = await fetch(at).catch(() => null);
      const { results } = answer?.ok ? await answer.json() : { results: [] };
      if (results.length) this.play(results.map(({ track }) => track));
      else this.$emit("failed", { key: "", title: name });
    },
    async walk() {
      const from = this.track;
      if (!from) return;
      const query = new URLSearchParams({ start: from.key, n: WALK });
      const answer = await fetch(`${window.path_prefix || ""}/v1/walk?${query}`).catch(() => null);
      if (this.track !== from) return; // its listener has gone on
      if (!answer?.ok) return this.tell("unqueued");
      const { results } = await answer.json();
      this.queue = [from, ...results.map(({ track }) => track).filter(({ key }) => key !== from.key)];
      this.at = 0;
      this.radio = from;
      this.tell("queued");
    },
    previous() {
      if (!this.track) return;
      if (this.at > 0 && this.time - this.start < 3) this.load(this.at - 1);
      else this.seek(0);
    },
    ended() {
      this.playing = false;
      this.next();
    },
    failed() {
      if (!this.track) return;
      if (!window.socket?.connected) { // no fault of the song's: it goes on when the server is back
        this.start = this.time;
        return window.socket?.once("connect", () => this.listen(this.asFlac));
      }
      if (this.asFlac) {
        this.tell("failed");
        return this.next(); // one file that is gone does not end the list
      }
      this.start = this.time; // a browser that plays less than others gets it in another form
      this.listen(true);
    },
    tell(event) { this.$emit(event, { key: this.track.key, title: this.track.title }); },
    mute() {
      this.muted = !this.muted;
      audio.muted = this.muted;
    },
    loudness(volume) {
      this.volume = volume;
      this.muted = false;
      audio.muted = false;
      audio.volume = volume;
      localStorage.setItem("muscall-volume", volume);
    },
  },
};
