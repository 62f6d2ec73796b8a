// What goes over the wire, by names that users can say: taken from the file that is generated from
// contracts/public.yaml, and nothing written by hand but which fields of a request must be given.
import type { components, paths } from '../../contract/src/generated/public.ts'

type Schemas = components['schemas']

/** The generated types are the server's, for whom defaults are filled in: to a client those fields are optional. */
type Given<Body, Required extends keyof Body = never> = Pick<Body, Required> & Partial<Omit<Body, Required>>

export type Session = Schemas['AuthResponse']
export type ApiKey = Schemas['APIKeyResponse']
/** With the secret itself. */
export type NewApiKey = ApiKey & { key: string }
export type Sandbox = Schemas['Sandbox']
export type SandboxStatus = Sandbox['status']
/** What has happened to a sandbox. */
export type SandboxEvent = Schemas['SandboxEvent']
export type Template = Schemas['Template']
export type ExecResult = Schemas['ExecResponse']
export type FileEntry = Schemas['FileEntry']
export type FileChange = Schemas['FileChange']
export type Metrics = Schemas['Metrics']
export type Health = Schemas['Health']
export type Me = Schemas['Me']
export type Providers = Schemas['Providers']

export type Account = Given<Schemas['SignupRequest'], 'email' | 'password'>
export type CreateApiKey = Given<Schemas['CreateAPIKeyRequest']>
export type CreateSandbox = Given<Schemas['CreateSandboxRequest']>
export type CreateSnapshot = Given<Schemas['CreateSnapshotRequest'], 'sandbox_id'>
export type ExecRequest = Given<Schemas['ExecRequest'], 'cmd'>
export type StreamRequest = Omit<Given<Schemas['ExecStreamStart'], 'cmd'>, 'type' | 'encoding'>

/** Without a `cmd` it is the login shell. */
export type PtyStart = Partial<Omit<Schemas['PtyStart'], 'type'>>
export type PtyAttach = Given<Omit<Schemas['PtyAttach'], 'type'>, 'pid'>

export type Method = 'get' | 'post' | 'delete'

/** The paths of the contract that have this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends object ? P : never
}[keyof paths]

type Operation<M extends Method, P extends PathOf<M>> = P extends keyof paths ? paths[P][M] : never

/** What stands for `{…}` in the path. */
export type PathParams<M extends Method, P extends PathOf<M>> =
  Operation<M, P> extends { parameters: { path: infer Params extends object } }
    ? { params: Params }
    : { params?: undefined }

type Content<Response> = Response extends { content: { 'application/json': infer Body } }
  ? Body
  : Response extends { content: object }
    ? string
    : undefined

/** The body of an answer that is a success: parsed where it is JSON, else as text. */
export type Answer<M extends Method, P extends PathOf<M>> =
  Operation<M, P> extends { responses: infer Responses }
    ? {
        [Status in keyof Responses & (200 | 201 | 204)]: Content<Responses[Status]>
      }[keyof Responses & (200 | 201 | 204)]
    : never
