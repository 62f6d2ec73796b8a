// The systemd unit that runs `npm start`. Pure: text in, text out. Called by tools/service.ts.
// Sources: systemd.service(5), systemd.kill(5), systemd.syntax(7).

export interface UnitOptions {
  /** The checkout. */
  folder: string
  /** Where npm and the system's programs are. */
  path: string
}

export function unitText({ folder, path }: UnitOptions): string {
  return `[Unit]
Description=Wrenn, microVM sandboxes
Documentation=file://${encodeURI(folder).replaceAll('%', '%%')}/docs/operating.md
Wants=network-online.target
After=network-online.target postgresql.service
# It is started again for as long as it takes.
StartLimitIntervalSec=0

[Service]
# npm start reads the settings itself, from .env in this folder.
WorkingDirectory=${escapeSpecifiers(folder)}
ExecStart=/bin/sh ${quoted(`${folder}/tools/bootstrap.sh`).replaceAll('$', '$$$$')} apps/launcher/src/main.ts
# Sets HOME, which npm and Go want.
User=root
Environment=${quoted(`PATH=${path}`)}
Restart=always
RestartSec=2
# Wrong settings stay wrong: 78 is EX_CONFIG.
RestartPreventExitStatus=78
# The launcher stops its own processes, in order, and pauses what runs in VMs. VMs are not its children: a launcher that
# was killed finds them, and its processes, still running and takes over.
KillMode=process
TimeoutStopSec=120
OOMPolicy=continue
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`
}

/** One word for systemd: quotes, backslashes and specifiers stand for themselves. `$` is special in commands only. */
function quoted(text: string): string {
  return `"${escapeSpecifiers(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

function escapeSpecifiers(text: string): string {
  return text.replaceAll('%', '%%')
}
