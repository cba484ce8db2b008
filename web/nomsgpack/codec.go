// Package codec stands where gin imports github.com/ugorji/go/codec for its MessagePack answers, of which Tegata gives
// none: a codec for five formats would be six of the server's forty megabytes. go.mod puts it there, for every build.
// gin's own way is the build tag nomsgpack, which `go build` and `go install` cannot be made to remember.
package codec

import (
	"errors"
	"io"
)

// ErrNone: there is no MessagePack here, neither to read nor to write.
var ErrNone = errors.New("codec: no MessagePack")

// MsgpackHandle has no options.
type MsgpackHandle struct{}

// Encoder writes nothing.
type Encoder struct{}

// NewEncoder makes one.
func NewEncoder(io.Writer, *MsgpackHandle) *Encoder { return &Encoder{} }

// Encode gives ErrNone.
func (*Encoder) Encode(any) error { return ErrNone }

// Decoder reads nothing.
type Decoder struct{}

// NewDecoder makes one.
func NewDecoder(io.Reader, *MsgpackHandle) *Decoder { return &Decoder{} }

// Decode gives ErrNone.
func (*Decoder) Decode(any) error { return ErrNone }
