package scheme

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Bundle is the name of the application on macOS.
const Bundle = "Tegata Agent.app"

// plist is the bundle's Info.plist: it claims the scheme, and keeps the agent out of the Dock.
const plist = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>CFBundleIdentifier</key><string>jp.tegata.agent</string>
	<key>CFBundleName</key><string>Tegata Agent</string>
	<key>CFBundlePackageType</key><string>APPL</string>
	<key>CFBundleExecutable</key><string>applet</string>
	<key>CFBundleShortVersionString</key><string>{version}</string>
	<key>CFBundleVersion</key><string>{version}</string>
	<key>LSUIElement</key><true/>
	<key>CFBundleURLTypes</key>
	<array>
		<dict>
			<key>CFBundleURLName</key><string>jp.tegata.login</string>
			<key>CFBundleURLSchemes</key><array><string>` + Scheme + `</string></array>
		</dict>
	</array>
</dict>
</plist>
`

// Info is the Info.plist for a version.
func Info(version string) string {
	var safe strings.Builder
	_ = xml.EscapeText(&safe, []byte(version)) // a strings.Builder takes everything
	return strings.ReplaceAll(plist, "{version}", safe.String())
}

// opener is the bundle's executable in source. macOS hands a link to an application as an Apple event and never as an
// argument, so an applet takes the event and starts the agent with the link as one quoted argument. Compiling it takes
// osacompile, which every Mac has and no other system.
const opener = `on open location link
	set agent to quoted form of (POSIX path of (path to me) & "Contents/MacOS/tegata-agent")
	do shell script agent & " login -- " & quoted form of link & " > /dev/null 2>&1 &"
end open location
`

// WriteBundle fills the application in dir with a copy of program and everything else but the compiled applet, and
// returns its path. It runs on any system; Install on a Mac compiles the applet first.
func WriteBundle(dir, program, version string) (string, error) {
	root := filepath.Join(dir, Bundle)
	contents := filepath.Join(root, "Contents")
	for _, d := range []string{"MacOS", "Resources"} {
		if err := os.MkdirAll(filepath.Join(contents, d), 0o755); err != nil {
			return "", err
		}
	}
	for name, text := range map[string]string{
		"Info.plist": Info(version), "PkgInfo": "APPL????", filepath.Join("Resources", "opener.applescript"): opener,
	} {
		if err := os.WriteFile(filepath.Join(contents, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	return root, copyFile(filepath.Join(contents, "MacOS", "tegata-agent"), program)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
