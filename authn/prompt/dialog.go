//go:build windows || darwin

package prompt

import (
	"context"
	"errors"
	"slices"

	"github.com/ncruces/zenity"

	"tegata/authn/fail"
)

// dialog uses the windows that the system itself draws. Their text field has room for one line on Windows, so the whole
// story is told in a question of its own, before the entry. zenity hands the entry over as a string, which cannot be
// wiped: a limit of this way, and why pinentry comes first where there is one.
type dialog struct{}

func systemDialog() (screen, bool) { return dialog{}, true }

func (dialog) patient() bool { return true }

func (d dialog) secret(ctx context.Context, f form) ([]byte, error) {
	if err := d.confirm(ctx, f); err != nil {
		return nil, err
	}
	typed, err := zenity.Entry(f.brief, zenity.HideText(), zenity.Title(f.title), zenity.OKLabel(f.ok),
		zenity.CancelLabel(f.no), zenity.Context(ctx))
	return []byte(typed), verdict(ctx, err)
}

func (dialog) confirm(ctx context.Context, f form) error {
	body := f.body
	if f.problem != "" {
		body = f.problem + "\n\n" + body
	}
	return verdict(ctx, zenity.Question(body, zenity.Title(f.title), zenity.OKLabel(f.ok), zenity.CancelLabel(f.no),
		zenity.DefaultCancel(), zenity.Context(ctx)))
}

func (dialog) choose(ctx context.Context, f form, options []string) (int, error) {
	picked, err := zenity.List(f.body, options, zenity.Title(f.title), zenity.OKLabel(f.ok), zenity.CancelLabel(f.no),
		zenity.DisallowEmpty(), zenity.Context(ctx))
	if err := verdict(ctx, err); err != nil {
		return 0, err
	}
	return slices.Index(options, picked), nil
}

func (dialog) tell(ctx context.Context, f form) error {
	return verdict(ctx, zenity.Info(f.body, zenity.Title(f.title), zenity.OKLabel(f.ok), zenity.Context(ctx)))
}

func verdict(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, zenity.ErrCanceled):
		return fail.UserCancelled
	}
	return fail.Internal.Because(err)
}
