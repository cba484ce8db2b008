// Package pcsc brings the commands of authn/card to a real card through the machine's smart card service:
// pcscd on Linux, CryptoTokenKit's PC/SC on macOS, the Smart Card service on Windows.
// It owns readers, hot plug, sharing a reader with other programs, transactions, deadlines and keypads.
// It refuses to know what the commands mean; which card is a My Number Card is authn/card's judgement, and an
// ATR's never, because licences share its prefix.
//
//	readers, err := pcsc.Service{}.Readers(ctx)         // what is plugged in, for a status page
//	s, err := pcsc.Service{}.Find(ctx, pcsc.Options{})  // the one My Number Card, wherever it lies
//	s, err := pcsc.Service{}.Open(ctx, readers[0].Name) // the card in one reader
//	defer s.Close()                                     // resets the card: on success, failure, cancel and panic alike
//	s.Card, s.Reader                                    // *card.Card is embedded: s.Tries, s.Verify, s.AuthCertificate, ...
//	<-s.Lost()                                          // closed when the card has gone, for a window that waits for a PIN
//	s.HasPad(ctx, card.AuthPIN), s.VerifyOnPad(ctx, p)  // from *card.Card: the reader has keys of its own
//
// Errors are fail.PCSCUnavailable (no service), fail.ReaderNone, fail.CardNone, fail.ReaderBusy (another program),
// fail.ReaderChoice (two My Number Cards; the cause is a *Choice with the names), fail.CardRemoved, and what
// card.Open says: fail.CardUnsupported, fail.CardOldJuki, ... Their cause is a Code where PC/SC gave one.
//
// A session holds a PC/SC transaction from the first SELECT until Close, so no other program can slip a command in
// between, nor use the PIN that was verified. Every call has a deadline, because PC/SC has none: it blocks for as long
// as another program holds its own transaction, and cannot be cancelled then. A call that outlives its deadline is
// left to itself on its own goroutine, ends the session, and the reset runs when it returns at last.
//
// Without cgo on Linux and macOS the package compiles and answers fail.PCSCUnavailable because of ErrNotBuilt.
package pcsc
