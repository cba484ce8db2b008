package fail

// Every code of the product. OAuth column per design/flows.md: "" means the login stays with us and
// the relying party hears nothing (yet). All refusals of a certificate look the same to it (R28).
var (
	// The person and the PIN.
	UserCancelled = New("user_cancelled", 403, You, "access_denied")
	PINWrong      = New("pin_wrong", 403, You, "")
	PINLastTry    = New("pin_last_try", 403, You, "")
	PINLocked     = New("pin_locked", 403, Municipality, "")
	PINFormat     = New("pin_format", 400, You, "")
	PINUnknown    = New("pin_unknown", 502, You, "") // the card left during VERIFY: nobody knows whether a try was spent

	// Agent, reader and card.
	AgentNotInstalled = New("agent_not_installed", 400, You, "")
	AgentOutdated     = New("agent_outdated", 426, You, "")
	AgentBusy         = New("agent_busy", 409, You, "")
	ReaderNone        = New("reader_none", 503, You, "")
	ReaderBusy        = New("reader_busy", 503, You, "")
	ReaderChoice      = New("reader_choice", 409, You, "")    // My Number Cards in several readers: a person has to say which
	PCSCUnavailable   = New("pcsc_unavailable", 503, You, "") // the machine's smart card service does not run
	CardNone          = New("card_none", 503, You, "")
	CardRemoved       = New("card_removed", 503, You, "")
	CardUnsupported   = New("card_unsupported", 422, You, "")
	CardOldJuki       = New("card_is_old_juki", 422, Municipality, "")
	CardDataBroken    = New("card_data_broken", 422, Municipality, "")
	CardRefused       = New("card_refused", 502, Us, "")   // a status word that our commands should never meet
	APDUForbidden     = New("apdu_forbidden", 500, Us, "") // the firewall stopped a command of our own (R1)
	SignCertMissing   = New("signature_certificate_missing", 422, You, "")

	// The certificate and the evidence.
	CertificateExpired    = New("certificate_expired", 403, Municipality, "access_denied")
	CertificateRevoked    = New("certificate_revoked", 403, Municipality, "access_denied")
	SignCertEnded         = New("signature_certificate_ended", 403, Municipality, "access_denied") // of a card that is good otherwise, as when its holder has moved
	CertificateSuspended  = New("certificate_suspended", 403, Municipality, "access_denied")
	RevocationUnavailable = New("revocation_unavailable", 503, Us, "temporarily_unavailable")
	RenewalUnknown        = New("renewal_unknown", 422, You, "")    // no earlier record that a renewed card could take over
	RenewalUnavailable    = New("renewal_unavailable", 503, Us, "") // nobody could be asked for it
	ChainUntrusted        = New("chain_untrusted", 403, Us, "access_denied")
	ProfileMismatch       = New("profile_mismatch", 403, Us, "access_denied")
	SignatureInvalid      = New("signature_invalid", 403, Us, "access_denied")
	CardsDiffer           = New("cards_differ", 403, You, "access_denied") // the two certificates are of two people
	StatementMismatch     = New("statement_mismatch", 403, Us, "access_denied")

	// The login in the browser.
	LoginExpired     = New("login_expired", 410, You, "")
	LoginUnknown     = New("login_unknown", 404, You, "")
	DifferentBrowser = New("different_browser", 403, You, "")
	CookiesBlocked   = New("cookies_blocked", 400, You, "")
	AlreadyUsed      = New("already_used", 410, You, "")
	TicketClaimed    = New("ticket_claimed", 409, You, "") // the first claim wins; the second agent hears this
	ProofInvalid     = New("proof_invalid", 401, Us, "")
	NumberMismatch   = New("number_mismatch", 403, You, "access_denied")

	// What can be answered.
	ClaimUnavailable = New("claim_unavailable", 403, You, "access_denied")
	ACRNotMet        = New("acr_not_met", 403, You, "unmet_authentication_requirements")
	AgeUnknown       = New("age_unknown", 403, You, "unmet_authentication_requirements")

	// The relying party's request. With an untrusted redirect URI nothing goes to the relying party.
	ClientUnknown       = New("client_unknown", 400, Site, "")
	ClientInactive      = New("client_inactive", 400, Site, "") // registered, and nobody has approved it yet
	RedirectURIMismatch = New("redirect_uri_mismatch", 400, Site, "")
	RequestInvalid      = New("request_invalid", 400, Site, "invalid_request")
	ScopeInvalid        = New("scope_invalid", 400, Site, "invalid_scope")
	BeyondPolicy        = New("beyond_policy", 400, Site, "invalid_scope") // known and well said, and not what was agreed with the client
	ResponseTypeInvalid = New("response_type_unsupported", 400, Site, "unsupported_response_type")
	RequestObjectBad    = New("request_object_invalid", 400, Site, "invalid_request_object")
	RequestURIInvalid   = New("request_uri_invalid", 400, Site, "invalid_request_uri") // pushed by another client, or past its time
	PARRequired         = New("par_required", 400, Site, "invalid_request")
	RequestURINotSupp   = New("request_uri_not_supported", 400, Site, "request_uri_not_supported")
	PKCERequired        = New("pkce_required", 400, Site, "invalid_request")
	LoginRequired       = New("login_required", 400, You, "login_required")
	ConsentRequired     = New("consent_required", 400, You, "consent_required")
	EncryptionKeyNone   = New("encryption_key_missing", 400, Site, "invalid_request")
	HintEncrypted       = New("id_token_hint_encrypted", 400, Site, "invalid_request")
	LogoutInvalid       = New("logout_invalid", 400, Site, "")

	// The server.
	MyNumberRefused  = New("my_number_refused", 400, You, "invalid_request") // R1: never echoed, never logged
	BadInput         = New("bad_input", 400, You, "")
	NotFound         = New("not_found", 404, You, "")
	MethodNotAllowed = New("method_not_allowed", 405, Site, "")
	CrossSite        = New("cross_site", 403, You, "")
	MethodDisabled   = New("method_disabled", 503, Us, "temporarily_unavailable") // the operator's emergency switch
	RateLimited      = New("rate_limited", 429, You, "")
	Unavailable      = New("unavailable", 503, Us, "temporarily_unavailable")
	Internal         = New("internal", 500, Us, "server_error")
)
