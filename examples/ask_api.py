"""Ask a running `muscall serve` from a program.

    muscall index ~/Music
    muscall serve &
    python examples/ask_api.py http://127.0.0.1:8765 "calm acoustic guitar"

Every answer is JSON, but for sound, pictures and playlists. A track is named by its key, a hash of
its sound, which stays the same when the file is moved or retagged.
"""

import sys

import httpx

address, sentence = sys.argv[1:]
with httpx.Client(base_url=address, timeout=60) as server:
    answer = server.get("/v1/search", params={"text": sentence, "n": 3})
    if answer.is_error:
        sys.exit(answer.json()["detail"])  # one line that says what is wrong
    hits = answer.json()["results"]
    for hit in hits:
        print(hit["rank"], hit["track"]["path"])
    keys = [hit["track"]["key"] for hit in hits]
    for label in server.get(f"/v1/tracks/{keys[0]}/labels", params={"n": 1}).json():
        print(f"{label['kind']}: {label['text']}")
    print(server.post("/v1/playlist", json={"keys": keys}).text)
