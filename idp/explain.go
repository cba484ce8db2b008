package idp

// Explained is an error of a relying party's request with what its developers may see besides: the value that came and
// those that would have fitted. To everybody else it is the error alone.
type Explained struct {
	Err        error
	Client     string
	Field      string   // what was sent: a parameter, or a part of one
	Got        string   // its value
	Member     string   // of the registration or of discovery; it says what would have fitted
	Registered []string // its values
}

func (e Explained) Error() string { return e.Err.Error() }

// Unwrap gives the error that everybody sees.
func (e Explained) Unwrap() error { return e.Err }
