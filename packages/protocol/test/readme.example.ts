import { decode, emptyConversation, encode, Fault, reduceConversation } from '@haip/protocol';

const text = encode({
  id: 'm-1',
  transaction: 't-1',
  session: 's-1',
  seq: '2',
  ts: '1790000000000',
  channel: 'USER',
  type: 'MESSAGE',
  payload: 'Hello',
});

const message = decode(text);
if (message instanceof Fault) throw new Error(`${message.code}: expected ${message.expected}`);

const entry = { ...message, position: Number(message.seq), ts: Number(message.ts) };
const conversation = reduceConversation(emptyConversation, entry);
console.log(conversation.messages[0]?.text); // Hello
