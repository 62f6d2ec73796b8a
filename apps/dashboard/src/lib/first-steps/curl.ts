// The first steps for a POSIX shell with curl 7.76 or newer, and nothing else.
import { quote } from '../curl.ts'
import { countProgram, snapshotName, type Script, type Target } from './steps.ts'

export function curlSteps({ origin, apiKey }: Target): Script {
  return {
    fileName: 'first-steps.sh',
    runCommand: 'sh first-steps.sh',
    needs: 'A shell and curl 7.76 or newer.',
    header: `#!/bin/sh
# First steps with Wrenn: makes a sandbox, works in it, and leaves nothing behind.
set -eu`,
    comment: '#',
    code: {
      key: `export WRENN_URL=${quote(origin)}
export WRENN_API_KEY=${quote(apiKey)}

# A call with the key. It fails when the platform refuses it.
api() { curl -sS --fail-with-body -H "X-API-Key: $WRENN_API_KEY" "$@"; }
json='Content-Type: application/json'
id_in() { sed 's/.*"id":"\\([^"]*\\)".*/\\1/'; }`,
      create: `sandbox=$(api "$WRENN_URL/v1/sandboxes" -H "$json" -d '{"timeout_sec": 600}')
echo "$sandbox"
id=$(echo "$sandbox" | id_in)`,
      run: `api "$WRENN_URL/v1/sandboxes/$id/exec" -H "$json" \\
  -d '{"cmd": "python3", "args": ["-c", "print(6 * 7)"]}'
echo`,
      files: `api "$WRENN_URL/v1/sandboxes/$id/files/write" -F path=/root/count.py -F file=@- <<'END'
${countProgram}
END
api "$WRENN_URL/v1/sandboxes/$id/files/read" -H "$json" -d '{"path": "/root/count.py"}'`,
      stream: `api "$WRENN_URL/v1/sandboxes/$id/exec" -H "$json" \\
  -d '{"cmd": "sh", "args": ["-c", ": > log; (python3 count.py; echo done) >> log 2>&1 &"]}'
echo
log=$(mktemp)
shown=0
until [ "$(tail -n 1 "$log")" = done ]; do
  sleep 1
  api "$WRENN_URL/v1/sandboxes/$id/files/read" -H "$json" -d '{"path": "/root/log"}' -o "$log"
  tail -n "+$((shown + 1))" "$log"
  shown=$(wc -l < "$log")
done
rm "$log"`,
      pause: `api -X POST "$WRENN_URL/v1/sandboxes/$id/pause"
echo
api -X POST "$WRENN_URL/v1/sandboxes/$id/resume"
echo`,
      snapshot: `api "$WRENN_URL/v1/snapshots?overwrite=true" -H "$json" \\
  -d "{\\"sandbox_id\\": \\"$id\\", \\"name\\": \\"${snapshotName}\\"}"
echo
sandbox=$(api "$WRENN_URL/v1/sandboxes" -H "$json" \\
  -d '{"template": "${snapshotName}", "timeout_sec": 600}')
copy=$(echo "$sandbox" | id_in)
api "$WRENN_URL/v1/sandboxes/$copy/exec" -H "$json" -d '{"cmd": "ls", "args": ["/root"]}'
echo`,
      destroy: `api -X DELETE "$WRENN_URL/v1/sandboxes/$copy"
api -X DELETE "$WRENN_URL/v1/snapshots/${snapshotName}"
echo 'Nothing is left.'`,
    },
    notes: {
      stream:
        'It comes over a WebSocket, which curl does not speak. What it can: have the command write to a file, and read on in that.',
    },
  }
}
