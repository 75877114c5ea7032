// Takes a file that is dropped on the page, or chosen, and sends it to the API.
export default {
  template: `
    <div>
      <input ref="file" type="file" accept="audio/*,.flac,.opus,.ogg,.m4a,.mp3,.wav" hidden
        aria-hidden="true" tabindex="-1" @change="send($event.target.files[0])">
      <div v-if="over || sending" class="drop" role="status">
        <div class="drop-box">
          <q-spinner-audio v-if="sending" size="48px" />
          <q-icon v-else name="library_music" size="48px" />
          <div class="drop-title">{{ sending ? "Listening to " + sending : "Drop a song to find music like it" }}</div>
        </div>
      </div>
    </div>`,
  data: () => ({ over: 0, sending: "" }),
  created() {
    this.handlers = {
      dragenter: (event) => { if (this.holdsFile(event)) this.over += 1; },
      dragleave: (event) => { if (this.holdsFile(event)) this.over = Math.max(0, this.over - 1); },
      dragover: (event) => { if (this.holdsFile(event)) event.preventDefault(); },
      drop: (event) => {
        if (!this.holdsFile(event)) return;
        event.preventDefault();
        this.over = 0;
        this.send(event.dataTransfer.files[0]);
      },
    };
    for (const [name, handler] of Object.entries(this.handlers)) window.addEventListener(name, handler);
  },
  unmounted() {
    for (const [name, handler] of Object.entries(this.handlers)) window.removeEventListener(name, handler);
  },
  methods: {
    holdsFile: (event) => event.dataTransfer?.types.includes("Files"),
    choose() { this.$refs.file.click(); },
    async send(file) {
      if (!file || this.sending) return;
      this.sending = file.name;
      const form = new FormData();
      form.append("file", file);
      try {
        const answer = await fetch(`${window.path_prefix || ""}/v1/uploads`, { method: "POST", body: form });
        const told = await answer.json().catch(() => ({}));
        if (answer.ok) this.$emit("heard", { id: told.id, name: file.name });
        else this.$emit("failed", `${file.name}: ${typeof told.detail === "string" ? told.detail : "the server refused it"}`);
      } catch {
        this.$emit("failed", `${file.name}: the server cannot be reached`);
      }
      this.sending = "";
      this.$refs.file.value = "";
    },
  },
};
