// An API call as a line for a shell, to be pasted as it is: every value is quoted, the key comes from the environment.
// Pure: the page's origin is given.

export interface ApiCall {
  method: 'GET' | 'POST' | 'DELETE'
  /** From the root of the API: "/v1/sandboxes/sb-…/pause", query included and encoded. */
  path: string
  /** Sent as JSON. */
  json?: object | undefined
  /** Sent as multipart/form-data. */
  form?: readonly FormField[] | undefined
  /** Where the answer's body goes. Default: the terminal. */
  output?: string | undefined
  /** For what is refused to API keys: the token of a sign-in, from $WRENN_TOKEN. Default: the key. */
  credential?: 'key' | 'token' | undefined
}

const credentials = {
  key: '-H "X-API-Key: $WRENN_API_KEY"',
  token: '-H "Authorization: Bearer $WRENN_TOKEN"',
} as const

type FormField = { name: string; value: string } | { name: string; file: string }

export function curlCommand(
  { method, path, json, form, output, credential = 'key' }: ApiCall,
  origin: string,
): string {
  const parts = [`curl ${quote(origin + path)}`]
  if (method !== 'GET' && !(method === 'POST' && (json ?? form))) parts.push(`-X ${method}`)
  parts.push(credentials[credential])
  if (json) parts.push(`-H 'Content-Type: application/json'`, `-d ${quote(JSON.stringify(json))}`)
  for (const field of form ?? []) parts.push(formOption(field))
  if (output !== undefined) parts.push(`-o ${quote(output)}`)
  return parts.join(' \\\n  ')
}

/** For a POSIX shell: in single quotes nothing has a meaning but the quote itself. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** `-F` gives ; and , in file names a meaning unless they are quoted (curl(1)); values are taken as they are. */
function formOption(field: FormField): string {
  if ('value' in field) return `--form-string ${quote(`${field.name}=${field.value}`)}`
  const file = field.file.replaceAll('\\', '\\\\').replaceAll('"', '\\"')
  return `-F ${quote(`${field.name}=@"${file}"`)}`
}
