package idp

// Explained is an error of a relying party's request with what its developer may see besides: the value that came and
// those that are registered. To everybody else it is the error alone.
type Explained struct {
	Err        error
	Client     string
	Field      string // parameter
	Got        string
	Registered []string
}

func (e Explained) Error() string { return e.Err.Error() }

// Unwrap gives the error that everybody sees.
func (e Explained) Unwrap() error { return e.Err }
