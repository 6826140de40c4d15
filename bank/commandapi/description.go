package commandapi

// description heads the API's document.
const description = `Commands on bank accounts. A success is answered once its events are durable.

Send an ` + "`Idempotency-Key`" + ` with every command: the same request with the same key is carried out once, and answered as ` +
	`the first time with ` + "`Idempotent-Replayed: true`" + `. Keys are kept for ever. A refusal is not remembered: the same key may ` +
	`succeed later. After ` + "`outcome-unknown`" + ` the same request with the same key tells what became of the first.

What is wrong with a request is looked for in this order, and the first answer counts: the route and its method; the API key and ` +
	`its rate; content type and size; headers, JSON and its members; in version 2, the values of all members, so that what can never ` +
	`be right is ` + "`invalid-request`" + ` or ` + "`currency-unknown`" + ` whatever the account is; the idempotency key; ` +
	"`If-Match`" + `, where there is an account; and at last the account's own rules. Those are, in their order, for an opening: ` +
	`currencies that agree, an id that is not taken; for a deposit: the account exists, is open, has the amount's currency, stays within the ` +
	`limit; for a withdrawal: it exists, has the amount's currency, holds enough, is open; for a closure: it exists, is open, and in ` +
	`version 2 is empty.`
