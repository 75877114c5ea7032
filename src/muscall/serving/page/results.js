// The list of what was found: the server sends all rows in one message, and waveforms and tags when
// they are known. A row that stays between two answers keeps its place in the document.
export default {
  components: { waveform: window.muscallWaveform },
  template: `
    <div class="results" role="list" aria-label="Results">
      <div v-for="row in rows" :key="row.key" class="track" role="listitem" tabindex="0" :data-key="row.key"
        :aria-label="row.told">
        <button type="button" class="cover-button" :aria-label="'Play ' + row.title" @click.stop="play(list, row.key)">
          <img class="cover" :src="cover(row.key)" alt="" loading="lazy">
          <div class="cover-over"><q-icon name="play_arrow" class="when-idle" /><q-icon name="pause" class="when-playing" /></div>
        </button>
        <div class="about">
          <div class="title" :title="row.path">{{ row.title }}</div>
          <div class="artist">{{ row.meta }}</div>
        </div>
        <waveform :list="list" :track="row.key" :duration="row.duration" :passage="row.passage"
          :peaks="drawn[row.key]?.peaks ?? []" :matches="drawn[row.key]?.matches ?? []" />
        <div class="relevance">
          <div v-if="row.fits" class="gauge" role="img" :title="row.fits" :aria-label="row.fits">
            <div class="gauge-fill" :style="{width: row.share + '%'}"></div>
          </div>
        </div>
        <div class="tags">
          <span v-if="row.named" class="tag tag-named">Name matches</span>
          <button v-for="text in tags[row.key]" :key="text" type="button" class="tag" :title="'Also ' + text"
            @click.stop="$emit('tag', text)"><div>{{ text }}</div></button>
        </div>
        <div class="actions">
          <q-btn v-for="[event, icon, label] in ACTIONS" :key="event" flat round dense :icon="icon" :class="'act-' + event"
            :aria-label="label" :title="label" @click="$emit(event, row.key)" />
        </div>
        <q-expansion-item v-if="row.versions.length" class="versions" dense :label="row.others">
          <div v-for="version in row.versions" :key="version.key" class="version" :data-key="version.key">
            <button type="button" class="cover-button" :aria-label="'Play ' + version.title"
              @click.stop="play('versions', version.key)">
              <img class="cover" :src="cover(version.key)" alt="" loading="lazy">
              <div class="cover-over"><q-icon name="play_arrow" class="when-idle" /><q-icon name="pause" class="when-playing" /></div>
            </button>
            <div class="about"><div class="title">{{ version.title }}</div><div class="artist">{{ version.meta }}</div></div>
            <q-btn flat round dense icon="playlist_add" aria-label="Add to the playlist" title="Add to the playlist"
              @click="$emit('add', version.key)" />
          </div>
        </q-expansion-item>
      </div>
    </div>`,
  props: { list: String, rows: Array },
  data: () => ({
    drawn: {}, tags: {},
    ACTIONS: [["add", "playlist_add", "Add to the playlist (a)"], ["more", "o_thumb_up", "More like this (+)"],
      ["less", "o_thumb_down", "Less like this (-)"]],
  }),
  watch: {
    rows(rows) {
      const keys = new Set(rows.map(({ key }) => key));
      const left = (of) => Object.fromEntries(Object.entries(of).filter(([key]) => keys.has(key)));
      [this.drawn, this.tags] = [left(this.drawn), left(this.tags)];
    },
  },
  methods: {
    // A browser lets sound begin in answer to a click alone: the way through the server is too long.
    play: (list, key) => window.muscall?.play(list, key),
    cover: (key) => `${window.path_prefix || ""}/page/cover/${encodeURIComponent(key)}`,
    draw(key, peaks, matches) { this.drawn[key] = { peaks, matches }; },
    label(key, texts) { this.tags[key] = texts; },
  },
};
