// Package storagetest owns the conformance suite that every storage.Store passes, and the PostgreSQL that tests run on.
// It knows what package storage promises. It does not know how a store keeps it.
package storagetest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"tegata/storage"
)

// Run checks the store that open makes, a fresh and empty one for each check. open closes it when its test ends.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for _, check := range []struct {
		name string
		run  func(t *testing.T, s storage.Store)
	}{
		{"a client comes back as it was put", clientRoundTrip},
		{"a client is created once and may be replaced", clientOnce},
		{"a client is disabled and enabled", clientDisabled},
		{"clients are listed by id", clientsListed},
		{"a client changes only from what was read", clientUpdated},
		{"a deleted client leaves no grant and no consent", clientDeleted},
		{"an initial access token is good for its uses until its end", initialTokens},
		{"racing registrations: a token has no more than its uses", raceRegister},
		{"a login comes back as it was written", loginRoundTrip},
		{"a bare login comes back bare", loginBare},
		{"a change of a login writes what it changes and nothing else", loginChanges},
		{"an answered login keeps nothing that the card said", loginAnswered},
		{"an answer may be that somebody declined", loginDeclined},
		{"a login is created once", loginOnce},
		{"an id that no text can be is not found", foreignIDs},
		{"a login changes only from the version that was read", loginSwap},
		{"a new certificate makes an account and a known one finds it", verifyFinds},
		{"a stale verification writes nothing", verifyStale},
		{"a returning login reads its link", returnReads},
		{"an approval writes everything", approveAll},
		{"a stale approval writes nothing", approveStale},
		{"an approval by session needs the session", approveSession},
		{"the first subject stays and the last consent counts", approveAgain},
		{"two accounts never share a subject in a sector", subjectsDiffer},
		{"a sector's ledger moves from version to version", toldKept},
		{"what one host of an owner is told counts at all of them", toldOwner},
		{"a code is redeemed once and its second use revokes the grant", redeemTwice},
		{"a code that may not be redeemed is not spent", redeemRefused},
		{"an access token lives until it expires or is revoked", accessEnds},
		{"a session lives until it expires or idles", sessionEnds},
		{"ending a session revokes its grants and no others", sessionEnded},
		{"an account's living sessions are listed", sessionsListed},
		{"sessions end one by one or all but one", sessionsEnded},
		{"an account is found by what a relying party calls it", accountFound},
		{"an answer to nobody opens a session alone", approveOwn},
		{"consents are listed with their texts", consentsListed},
		{"what is taken back has to be asked for again", takenBack},
		{"what is remembered comes to mind in its browser, until its time", remembered},
		{"what is forgotten is gone everywhere", forgotten},
		{"a history is its person's, the latest first", historyKept},
		{"a history is kept as long as its person wants", historyFades},
		{"of a deleted account no row is left", accountDeleted},
		{"a card is kept with its account", cardsKept},
		{"a status job gets what is due, and nobody else gets it too", cardsDue},
		{"all grants of an account are revoked", accountRevoked},
		{"a consent to linking is kept", linkConsentKept},
		{"a renewed card takes its account over", renewMoves},
		{"a renewed card inherits what its new account has begun", renewInherits},
		{"a renewal that does not fit any more changes nothing", renewStale},
		{"racing tabs: one card is renewed once", raceRenew},
		{"racing replicas: each card is asked about by one", raceDue},
		{"two people never share an account, whatever was renewed and linked", peopleStayApart},
		{"those who know a session by a name are told of its end", partiesTold},
		{"a session that is taken over ends for nobody outside", sessionInherited},
		{"who has to hear of a session's end is remembered until then", partiesRemembered},
		{"a delivery waits until it is due and is taken by one", deliveriesWait},
		{"a delivery outlives who was sending it", deliveriesOutliveTheirSender},
		{"a delivery that was given up is swept", deliveriesSwept},
		{"racing replicas: every delivery is taken once", raceDeliveries},
		{"a word about later changes is kept, and another one takes its place", latestKept},
		{"a withdrawn or expired consent is nobody's any more", latestEnds},
		{"whatever ends a consent has the authority forget it", latestForgotten},
		{"a change is noted with its message and its line of the history, or not at all", latestNoted},
		{"a feed is read by one at a time", feedLeased},
		{"signing keys are listed by age and replaced by id", keysListed},
		{"an algorithm has one signing key without an end", openKeys},
		{"anchors are kept by fingerprint", anchorsKept},
		{"settings are kept by name", settingsKept},
		{"the store has a clock, which goes on", clockGoesOn},
		{"fees add up", feesAdded},
		{"incidents are kept as they happened", incidentsKept},
		{"a pushed request waits until it expires or is answered", pushedKept},
		{"a one-time thing is spent once", spentOnce},
		{"an approval spends what it was asked through", approveSpends},
		{"a grant is bound to what its code was redeemed with", grantBound},
		{"a refresh token is used once and an old one ends its family", refreshRotates},
		{"a refresh token that may not be used is not spent", refreshRefused},
		{"a refresh token that credentials bind comes with another key", refreshRebinds},
		{"an access token may be for less than its refresh token", refreshNarrows},
		{"a refresh token that does not rotate is used again", refreshStays},
		{"only grants for offline use have refresh tokens", refreshOffline},
		{"a family dies idle, of age, by revocation and with its client", refreshEnds},
		{"racing refreshes: one wins and the family is revoked", raceRefresh},
		{"a sweep takes what is past its time and nothing else", sweep},
		{"a cancelled caller is told so and changes nothing", cancelled},
		{"racing spenders: one wins", raceSpend},
		{"racing redemptions: each code is spent once and its grant revoked", raceRedeem},
		{"racing swaps: each version has one winner", raceSwap},
		{"racing approvals: one answer is written", raceApprove},
		{"racing answers: the ledger takes one", raceTold},
		{"racing verifications: one certificate, one account", raceVerify},
		{"racing logout and approval: no grant outlives its session", raceLogout},
		{"racing replicas: every fee counts", raceFees},
		{"racing ends: ending sessions, redeeming and sweeping do not block one another", raceEnds},
		{"64 people at once log in", crowd},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, open(t)) })
	}
}

// now is the time in all checks. The store keeps microseconds; it is asked from another time zone to see that UTC comes back.
var now = time.Date(2026, 11, 21, 9, 30, 15, 123456000, time.UTC)

func ctx(t testing.TB) context.Context { return t.Context() }

// ok stops the test on an error.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// is stops the test if err is not the wanted sentinel.
func is(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// same compares all fields of two records.
func same[T any](t testing.TB, got, want T) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if g.Kind() == reflect.Struct {
		for i := range g.NumField() {
			if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
				t.Errorf("%s: got %v, want %v", g.Type().Field(i).Name, g.Field(i), w.Field(i))
			}
		}
	}
	t.Fatalf("got  %+v\nwant %+v", got, want)
}

// full stops the test if a field of record is zero: a round trip proves nothing about such a field.
func full[T any](t testing.TB, record T) T {
	t.Helper()
	v := reflect.ValueOf(record)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Fatalf("%s.%s is not filled in: extend the fixture", v.Type(), v.Type().Field(i).Name)
		}
	}
	return record
}

// race calls f from n goroutines at once and returns their errors.
func race(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// winners counts the nils among errs and stops the test on an error that is not the loser's.
func winners(t testing.TB, errs []error, loser error) int {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			is(t, err, loser)
		}
	}
	return won
}
