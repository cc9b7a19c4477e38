// An endpoint that lets the npm packages standardwebhooks and cloudevents judge what it gets, with WEBHOOK_SECRET. Prints
// the port it chose, then a line for each request: type, source, what each package said ("ok" or why not).
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";
import { HTTP } from "cloudevents";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

function judged(judge) {
  try {
    judge();
    return "ok";
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

const server = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces).toString();
  let event = {};
  const cloud = judged(() => {
    event = HTTP.toEvent({ headers: request.headers, body });
    event.validate();
    if (event.data.type !== event.type.replace("pgwinnow.", "")) throw new Error("the data is of another type");
    if (new Date(event.time).toISOString() !== event.timestamp) throw new Error("timestamp is another time");
  });
  const signature = judged(() => webhook.verify(body, request.headers));
  console.log([event.type, event.source, signature, cloud].join("|"));
  response.writeHead(204).end();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
