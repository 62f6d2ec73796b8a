// What can come back from a provider instead of an answer.
import type { RequestListener, ServerResponse } from 'node:http'

export type Misbehaviour =
  | 'an error with status 200'
  | 'a server error'
  | 'an answer that is not JSON'
  | 'JSON of another shape'
  | 'a dropped connection'
  | 'silence'
  | 'an answer that trickles'
  | 'an answer that never ends'
  | 'a huge answer'
  | 'a redirect'

const json = { 'content-type': 'application/json' }

/** `elsewhere`: where redirects lead. */
export function misbehaviours(elsewhere: string): Record<Misbehaviour, RequestListener> {
  return {
    'an error with status 200': (_request, response) => {
      response.writeHead(200, json).end('{"error":"bad_verification_code","error_description":"No."}')
    },
    'a server error': (_request, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Unicorn</h1>')
    },
    'an answer that is not JSON': (_request, response) => {
      response.writeHead(200, json).end('<html>')
    },
    'JSON of another shape': (_request, response) => {
      response.writeHead(200, json).end('{"id":{"$ne":0},"access_token":["a"],"email":"a@example.com"}')
    },
    'a dropped connection': (request) => {
      request.socket.destroy()
    },
    silence: () => undefined,
    'an answer that trickles': (_request, response) => {
      response.writeHead(200, json)
      const timer = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(timer))
    },
    'an answer that never ends': (_request, response) => {
      response.writeHead(200, json)
      writeForEver(response)
    },
    'a huge answer': (_request, response) => {
      const body = { access_token: 'x', token_type: 'bearer', id: 1, name: 'x'.repeat(8 * 1_048_576) }
      response.writeHead(200, json).end(JSON.stringify(body))
    },
    'a redirect': (_request, response) => {
      response.writeHead(301, { location: elsewhere }).end()
    },
  }
}

function writeForEver(response: ServerResponse): void {
  const chunk = ' '.repeat(65_536)
  const more = (): void => {
    while (response.write(chunk));
  }
  response.on('drain', more)
  more()
}
