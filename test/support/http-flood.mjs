// Sends so many requests at once, each on a connection of its own, and writes down how many got which status:
// `node http-flood.mjs <port> <count> <body> <at once>`.
import { connect } from 'node:net';

const [port, count, body, atOnce] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] ?? '', Number(process.argv[5])];
const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
const statuses = {};
const waits = [];

const one = () =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', (error) => {
      text ||= `lost     ${error.code}`;
    });
    socket.on('close', () => {
      const status = text.startsWith('HTTP/1.1 ') ? text.slice(9, 12) : text || 'lost';
      statuses[status] = (statuses[status] ?? 0) + 1;
      const wait = /\r\nretry-after: (\d+)\r\n/i.exec(text)?.[1];
      if (wait !== undefined) waits.push(Number(wait));
      resolve();
    });
  });

let left = count;
const worker = async () => {
  while (left > 0) {
    left -= 1;
    await one();
  }
};
await Promise.all(Array.from({ length: atOnce }, worker));
process.stdout.write(JSON.stringify({ statuses, waits: waits.length, waitMin: Math.min(...waits), waitMax: Math.max(...waits) }));
