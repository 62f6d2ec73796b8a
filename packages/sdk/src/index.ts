export { Wrenn, type WrennOptions } from './wrenn.ts'
export { WrennError, type ClientErrorCode, type WrennErrorCode } from './errors.ts'
export type { ApiKeys, Auth } from './accounts.ts'
export type { ExecEvent, ExecStream, ExecStreamOptions } from './exec-stream.ts'
export type { FileWatchEvent, WatchOptions } from './file-watch.ts'
export type { Files, FileStream, TransferOptions } from './files.ts'
export type { Call, Fetch, Repeat } from './http.ts'
export type { CallOptions } from './limit.ts'
export type { CreateOptions, SandboxFilter, Sandboxes } from './sandboxes.ts'
export type { Pty, PtyEvent, PtyOptions, PtyRequest } from './pty.ts'
export type { SnapshotOptions, Snapshots } from './snapshots.ts'
export type { OpenWebSocket, WebSocketLike } from './sockets.ts'
export type { EventsOptions, TeamEvent } from './team-events.ts'
export type { FileContent, OnProgress, StreamContent } from './uploads.ts'
export type {
  Account,
  Answer,
  ApiKey,
  CreateApiKey,
  CreateSandbox,
  CreateSnapshot,
  ExecRequest,
  ExecResult,
  FileChange,
  FileEntry,
  Health,
  Me,
  Method,
  Metrics,
  NewApiKey,
  PathOf,
  PtyAttach,
  PtyStart,
  Providers,
  Sandbox,
  SandboxEvent,
  SandboxStatus,
  Session,
  StreamRequest,
  Template,
} from './wire.ts'
