// Package authn owns one login attempt: its handles and secrets, the steps of its state machine as pure
// functions over one stored record, and the judgement of the evidence that an agent brings.
// It refuses to know HTTP, databases, tokens and relying parties' protocols: idp moves the record and
// answers; this package only says what the next record is or why there is none.
package authn
