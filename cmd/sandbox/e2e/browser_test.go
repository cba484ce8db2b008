package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take; the machine may be busy with other tests.
const patience = 30 * time.Second

// browsers are one Chromium for each language that a person's system may have.
var browsers = map[string]func() (context.Context, error){"ja": browserIn("ja"), "en": browserIn("en")}

func browserIn(lang string) func() (context.Context, error) {
	return sync.OnceValues(func() (context.Context, error) {
		options := []chromedp.ExecAllocatorOption{chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU}
		for _, off := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage", "disable-extensions", "disable-default-apps", "metrics-recording-only"} {
			options = append(options, chromedp.Flag(off, true))
		}
		options = append(options, chromedp.Flag("accept-lang", lang), chromedp.Flag("lang", lang))
		alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, stop := chromedp.NewContext(alloc)
		atEnd.Lock()
		atEnd.do = append(atEnd.do, func() { stop(); stopAlloc() })
		atEnd.Unlock()
		return ctx, chromedp.Do(ctx) // starts it
	})
}

// person is somebody with a browser of her own: no cookies yet, one tab open.
type person struct {
	t        *testing.T
	noScript bool
	mu       sync.Mutex
	trouble  []string // what the browser complained about
}

// tab is one of her tabs.
type tab struct {
	*person
	ctx context.Context
}

// newPerson sits down before a browser in her language. At the end nothing may have been complained about in any tab.
func newPerson(t *testing.T, lang string) *tab {
	t.Helper()
	return sitDown(t, &person{t: t}, lang)
}

// newPersonWithoutScripts has switched JavaScript off.
func newPersonWithoutScripts(t *testing.T, lang string) *tab {
	t.Helper()
	return sitDown(t, &person{t: t, noScript: true}, lang)
}

func sitDown(t *testing.T, p *person, lang string) *tab {
	t.Helper()
	browser, err := browsers[lang]()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, what := range p.trouble {
			t.Errorf("the browser complains: %s", what)
		}
	})
	return p.attach(chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.hear)))
}

func (p *person) attach(ctx context.Context, stop context.CancelFunc) *tab {
	p.t.Helper()
	p.t.Cleanup(stop)
	b := &tab{p, ctx}
	b.call("watching the console", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, audits.Enable, cdp.Empty{})
		if err == nil {
			_, err = cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: p.noScript})
		}
		return err
	}))
	return b
}

// hear collects complaints: of scripts, of the content security policy, of anything that would be red in the console.
func (p *person) hear(event any) {
	var what string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) && !isPageStatus(e.Entry) {
			what = fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			what = fmt.Sprintf("console %s", e.Type)
		}
	case *runtime.EventExceptionThrown:
		what = "exception: " + e.ExceptionDetails.Text
	case *audits.EventIssueAdded:
		details, _ := json.Marshal(e.Issue.Details)
		if strings.Contains(string(details), "NavigationEntryMarkedSkippable") {
			break // a page that goes on by itself: the back button shall pass it
		}
		what = fmt.Sprintf("issue %s: %s", e.Issue.Code, details)
	}
	if what == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = append(p.trouble, what)
}

// isPageStatus: Chromium also logs that a page came with a status such as 403. That is how an error page should come;
// only what a page needs, a file with an extension, must never fail.
func isPageStatus(e *log.Entry) bool {
	u, err := url.Parse(e.URL)
	return err == nil && e.Source == log.EntrySourceNetwork && strings.Contains(e.Text, "responded with a status of 4") && path.Ext(u.Path) == ""
}

// call runs one action of a tab and fails the story with what the page shows.
func (b *tab) call(what string, do chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx); err != nil { // attaches to the tab, on the context that lives as long
		b.t.Fatalf("%s: %v", what, err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, do); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.describe())
	}
}

func (b *tab) describe() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	said, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return said
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.call("opening "+address, chromedp.Navigate(address))
}

// click waits for what is clicked. A link or button may lead to another page: what is there is the next thing to see.
func (b *tab) click(css string) {
	b.t.Helper()
	b.call("clicking "+css, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}

func (b *tab) see(css string) {
	b.t.Helper()
	b.call("looking for "+css, chromedp.WaitVisible(chromedp.CSS(css)))
}

func (b *tab) enter(css, text string) {
	b.t.Helper()
	b.call("typing into "+css, chromedp.SendKeys(chromedp.CSS(css), text, chromedp.NodeVisible))
}

func (b *tab) press(keys string) {
	b.t.Helper()
	b.call("pressing a key", chromedp.KeyEvent(keys))
}

// text of the first element that matches.
func (b *tab) text(css string) string {
	b.t.Helper()
	b.see(css)
	return ask[string](b, fmt.Sprintf(`document.querySelector(%q).innerText`, css))
}

// texts of all elements that match.
func (b *tab) texts(css string) []string {
	b.t.Helper()
	return ask[[]string](b, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(e => e.innerText.trim())`, css))
}

func (b *tab) address() string {
	b.t.Helper()
	return ask[string](b, `location.href`)
}

// ask evaluates an expression as the developer tools do, also when the page itself may run no script.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	var answer T
	b.call("asking "+expression, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var err error
		answer, err = chromedp.Evaluate[T](expression)(ctx, t)
		return err
	}))
	return answer
}

// until waits for a condition that no element's being there expresses.
func (b *tab) until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); !ask[bool](b, expression); {
		if time.Now().After(end) {
			b.t.Fatalf("never true: %s\n%s", expression, b.describe())
		}
		b.call("waiting", chromedp.Sleep(50*time.Millisecond))
	}
}

// newTab is the tab that a link opens at address, which begins with prefix.
func (b *tab) newTab(prefix string, opens func()) *tab {
	b.t.Helper()
	opens()
	mine := chromedp.FromContext(b.ctx).BrowserContextID
	for end := time.Now().Add(patience); time.Now().Before(end); b.call("waiting", chromedp.Sleep(50*time.Millisecond)) {
		infos, err := chromedp.Targets(b.ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, i := range infos {
			if i.Type == "page" && i.BrowserContextID == mine && strings.HasPrefix(i.URL, prefix) && !i.Attached {
				return b.attach(chromedp.NewContext(b.ctx, chromedp.WithTargetID(i.TargetID), chromedp.WithListener(b.hear)))
			}
		}
	}
	b.t.Fatalf("no tab at %s opens\n%s", prefix, b.describe())
	return nil
}

// cookies lists what this person's browser holds.
func (b *tab) cookies() []string {
	b.t.Helper()
	jar, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID})
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, c := range jar.Cookies {
		if !c.HTTPOnly || c.SameSite != "Lax" || c.Path != "/" {
			b.t.Errorf("cookie %s: HttpOnly %v, SameSite %q, Path %q", c.Name, c.HTTPOnly, c.SameSite, c.Path)
		}
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}
