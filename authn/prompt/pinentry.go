package prompt

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"time"

	"tegata/authn/fail"
)

// pinentry is the GnuPG project's PIN window, started once per question. It grabs the keyboard and keeps what is typed in
// locked memory. We never offer it a cache: neither allow-external-password-cache nor a key to file a PIN under.
type pinentry struct {
	path    string
	options [][2]string   // ttyname, ttytype, lc-ctype
	timeout time.Duration // until the window closes by itself
}

func (p pinentry) patient() bool { return true }

// talk runs one window and kills it with ctx.
func (p pinentry) talk(ctx context.Context, f form, ask func(*conversation) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path)
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return fail.Internal.Because(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fail.Internal.Because(err)
	}
	if err := cmd.Start(); err != nil {
		return fail.Internal.Because(err)
	}
	c := &conversation{in: in, out: out}
	defer c.wipe()
	err = errors.Join(p.dress(c, f, ask), hangUp(c, in))
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	cancel()
	_ = cmd.Wait() // its exit status says nothing that the answers did not
	var coded *fail.Error
	if err == nil || errors.Is(err, errNotConfirmed) || errors.As(err, &coded) || errors.Is(err, ctx.Err()) {
		return err
	}
	return fail.Internal.Because(err)
}

func hangUp(c *conversation, in io.Closer) error {
	_, _ = io.WriteString(c.in, "BYE\n") // courtesy: the pipe closes next, and the process is killed
	return in.Close()
}

// dress sets everything that the window shows, then asks.
func (p pinentry) dress(c *conversation, f form, ask func(*conversation) error) error {
	if err := c.greet(); err != nil {
		return err
	}
	for _, o := range p.options {
		if o[1] == "" {
			continue
		}
		if err := c.do("OPTION", o[0]+"="+o[1], nil); err != nil {
			return err
		}
	}
	for _, set := range [][2]string{
		{"SETTIMEOUT", strconv.Itoa(int(p.timeout.Seconds()))}, {"SETTITLE", f.title}, {"SETDESC", f.body},
		{"SETPROMPT", f.label}, {"SETERROR", f.problem}, {"SETOK", f.ok}, {"SETCANCEL", f.no}, {"SETNOTOK", f.next},
	} {
		if set[1] == "" {
			continue
		}
		if err := c.do(set[0], set[1], nil); err != nil {
			return err
		}
	}
	return ask(c)
}

func (p pinentry) secret(ctx context.Context, f form) ([]byte, error) {
	typed := make([]byte, 0, maxSecret)
	err := p.talk(ctx, f, func(c *conversation) error { return c.do("GETPIN", "", &typed) })
	if err != nil {
		clear(typed)
		return nil, err
	}
	return typed, nil
}

func (p pinentry) confirm(ctx context.Context, f form) error {
	err := p.talk(ctx, f, func(c *conversation) error { return c.do("CONFIRM", "", nil) })
	if errors.Is(err, errNotConfirmed) {
		return fail.UserCancelled
	}
	return err
}

// choose shows one option after the other, for pinentry has no lists; after the last comes the first again.
func (p pinentry) choose(ctx context.Context, f form, options []string) (int, error) {
	if len(options) == 0 {
		return 0, fail.UserCancelled
	}
	body := f.body
	for i := 0; ; i = (i + 1) % len(options) {
		f.body = body + "\n\n" + strconv.Itoa(i+1) + "/" + strconv.Itoa(len(options)) + "  " + options[i]
		err := p.talk(ctx, f, func(c *conversation) error { return c.do("CONFIRM", "", nil) })
		if !errors.Is(err, errNotConfirmed) {
			return i, err
		}
	}
}

func (p pinentry) tell(ctx context.Context, f form) error {
	return p.talk(ctx, f, func(c *conversation) error { return c.do("MESSAGE", "", nil) })
}
