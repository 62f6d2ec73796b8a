// The first steps for Python 3.8 or newer with its standard library alone, which has neither forms nor WebSockets: both
// are written out, the latter as far as the platform needs it (RFC 6455).
import { countProgram, snapshotName, type Script, type Target } from './steps.ts'

export function pythonSteps({ origin, apiKey }: Target): Script {
  return {
    fileName: 'first-steps.py',
    runCommand: 'python3 first-steps.py',
    needs: 'Python 3.8 or newer, without any package.',
    header: '# First steps with Wrenn: makes a sandbox, works in it, and leaves nothing behind.',
    comment: '#',
    code: {
      key: `import json
import urllib.error
import urllib.request

URL = '${origin}'
API_KEY = '${apiKey}'


def send(method, path, body=None, content_type='application/json'):
    headers = {'X-API-Key': API_KEY, 'Content-Type': content_type}
    request = urllib.request.Request(f'{URL}/v1{path}', body, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise SystemExit(f'{method} {path}: {error.read().decode()}')


def call(method, path, **fields):
    body = json.dumps(fields).encode() if fields else None
    answer = send(method, path, body)
    return json.loads(answer) if answer else None`,
      create: `sandbox_id = call('POST', '/sandboxes', timeout_sec=600)['id']
print('created', sandbox_id)`,
      run: `result = call('POST', f'/sandboxes/{sandbox_id}/exec', cmd='python3', args=['-c', 'print(6 * 7)'])
print(result['exit_code'], result['stdout'])`,
      files: `def upload(sandbox_id, path, content):
    boundary = 'the-next-part-of-the-form'
    form = [
        f'--{boundary}\\r\\nContent-Disposition: form-data; name="path"\\r\\n\\r\\n{path}',
        f'\\r\\n--{boundary}\\r\\nContent-Disposition: form-data; name="file"; filename="file"\\r\\n\\r\\n',
        content,
        f'\\r\\n--{boundary}--\\r\\n',
    ]
    content_type = f'multipart/form-data; boundary={boundary}'
    send('POST', f'/sandboxes/{sandbox_id}/files/write', ''.join(form).encode(), content_type)


def download(sandbox_id, path):
    return send('POST', f'/sandboxes/{sandbox_id}/files/read', json.dumps({'path': path}).encode())


program = '''${countProgram}
'''
upload(sandbox_id, '/root/count.py', program)
print(download(sandbox_id, '/root/count.py').decode())`,
      stream: `import base64
import os
import socket
import ssl
import struct
from urllib.parse import urlsplit


def stream(sandbox_id, cmd, args):
    at = urlsplit(URL)
    is_https = at.scheme == 'https'
    connection = socket.create_connection((at.hostname, at.port or (443 if is_https else 80)))
    if is_https:
        connection = ssl.create_default_context().wrap_socket(connection, server_hostname=at.hostname)
    with connection, connection.makefile('rb') as incoming:
        connection.sendall('\\r\\n'.join([
            f'GET /v1/sandboxes/{sandbox_id}/exec/stream HTTP/1.1',
            f'Host: {at.netloc}',
            f'X-API-Key: {API_KEY}',
            'Connection: Upgrade',
            'Upgrade: websocket',
            'Sec-WebSocket-Version: 13',
            f'Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}',
            '\\r\\n',
        ]).encode())
        status = incoming.readline().decode()
        if ' 101 ' not in status:
            raise SystemExit(f'the stream was refused: {status}')
        while incoming.readline() != b'\\r\\n':
            pass
        start = {'type': 'start', 'cmd': cmd, 'args': args}
        connection.sendall(frame(TEXT, json.dumps(start).encode()))
        for opcode, payload in frames(incoming):
            if opcode == TEXT:
                yield json.loads(payload)
            elif opcode == PING:
                connection.sendall(frame(PONG, payload))
            elif opcode == CLOSE:
                return


TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def frames(incoming):
    while head := incoming.read(2):
        length = head[1]
        if length == 126:
            length, = struct.unpack('>H', incoming.read(2))
        elif length == 127:
            length, = struct.unpack('>Q', incoming.read(8))
        yield head[0] & 15, incoming.read(length)


def frame(opcode, payload):
    length = len(payload)
    size = bytes([128 | length]) if length < 126 else struct.pack('>BH', 128 | 126, length)
    mask = os.urandom(4)
    return bytes([128 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


for event in stream(sandbox_id, 'python3', ['count.py']):
    if event['type'] == 'stdout':
        print(event['data'], end='', flush=True)
    if event['type'] == 'exit':
        print('exit', event['exit_code'])
    if event['type'] == 'error':
        raise SystemExit(event['data'])`,
      pause: `paused = call('POST', f'/sandboxes/{sandbox_id}/pause')
resumed = call('POST', f'/sandboxes/{sandbox_id}/resume')
print(paused['status'], resumed['status'])`,
      snapshot: `call('POST', '/snapshots?overwrite=true', sandbox_id=sandbox_id, name='${snapshotName}')
copy_id = call('POST', '/sandboxes', template='${snapshotName}', timeout_sec=600)['id']
print(call('POST', f'/sandboxes/{copy_id}/exec', cmd='ls', args=['/root'])['stdout'])`,
      destroy: `call('DELETE', f'/sandboxes/{copy_id}')
call('DELETE', '/snapshots/${snapshotName}')
print('Nothing is left.')`,
    },
    notes: {
      stream:
        'It comes over a WebSocket. Python has none of its own: here is what it takes, and packages like “websockets” make it three lines.',
    },
  }
}
