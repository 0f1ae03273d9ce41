package capture

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The options of curl, as name/letter if there is a letter, of versions 7.88 to 8.22. A
// test compares them with the installed curl.
const (
	// readSwitches and readValues are applied.
	readSwitches = `compressed crlf get/G globoff/g head/I http1.0/0 http1.1 http2 manual/M next/: path-as-is
		tr-encoding use-ascii/B version/V`
	readValues = `cookie/b data/d data-ascii data-binary data-raw data-urlencode header/H help/h json oauth2-bearer
		proto-default range/r referer/e request/X request-target upload-file/T url url-query user/u user-agent/A`

	// ignoredSwitches and ignoredValues do not change the request.
	ignoredSwitches = `alpn append/a basic buffer/N ca-native cert-status clobber compressed-ssh create-dirs custom-meter
		disable/q disable-eprt disable-epsv disallow-insecure disallow-username-in-url doh-cert-status doh-insecure
		dump-ca-embed eprt epsv fail/f fail-early fail-with-body false-start follow form-escape ftp-create-dirs ftp-pasv
		ftp-pret ftp-skip-pasv-ip ftp-ssl ftp-ssl-ccc ftp-ssl-control ftp-ssl-reqd haproxy-protocol http0.9
		http2-prior-knowledge http3 http3-only ignore-content-length include/i insecure/k ipv4/4 ipv6/6
		junk-session-cookies/j keepalive list-only/l location/L location-trusted mail-rcpt-allowfails metalink mptcp npn
		out-null parallel/Z parallel-immediate post301 post302 post303 progress-bar/# progress-meter proxy-anyauth
		proxy-basic proxy-ca-native proxy-digest proxy-http2 proxy-insecure proxy-negotiate proxy-ntlm
		proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 proxytunnel/p raw remote-header-name/J remote-name/O
		remote-name-all remote-time/R remove-on-error retry-all-errors retry-connrefused sasl-ir sessionid show-error/S
		show-headers silent/s skip-existing socks5-basic socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast
		ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort sslv2/2 sslv3/3 styled-output
		suppress-connect-headers tcp-fastopen tcp-nodelay tftp-no-options tls-earlydata tlsv1/1 tlsv1.0 tlsv1.1 tlsv1.2
		tlsv1.3 trace-ids trace-time verbose/v xattr`
	ignoredValues = `abstract-unix-socket alt-svc cacert capath cert/E cert-type ciphers connect-timeout connect-to
		cookie-jar/c create-file-mode crlfile curves delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers
		doh-url dump-header/D ech egd-file engine etag-save expect100-timeout fail-on-status ftp-account
		ftp-alternative-to-user ftp-method ftp-port/P ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip
		hostpubmd5 hostpubsha256 hsts interface ip-tos ipfs-gateway keepalive-cnt keepalive-time key key-type knownhosts
		krb krb4 libcurl limit-rate local-port login-options mail-auth mail-from mail-rcpt max-filesize max-redirs
		max-time/m noproxy output/o output-dir parallel-max parallel-max-host pass pinnedpubkey preproxy proto
		proto-redir proxy/x proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header
		proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype
		proxy-tlspassword proxy-tlsuser proxy-user/U proxy1.0 pubkey quote/Q random-file rate resolve retry retry-delay
		retry-max-time sasl-authzid service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname
		speed-limit/Y speed-time/y ssl-sessions stderr telnet-option/t tftp-blksize tls-max tls13-ciphers tlsauthtype
		tlspassword tlsuser trace trace-ascii trace-config unix-socket upload-flags vlan-priority write-out/w`

	// refusedSwitches and refusedValues change the request in a way that the command does
	// not show: by files, the time, random boundaries or a response.
	refusedSwitches = `anyauth digest negotiate netrc/n netrc-optional ntlm ntlm-wb`
	refusedValues   = `aws-sigv4 aws-sigv4-algorithm aws-sigv4-mode aws-sigv4-signedheaders config/K continue-at/C
		etag-compare form/F form-string httpsig-algo httpsig-key httpsig-keyid netrc-file time-cond/z variable`
)

// option is an option of curl.
type option struct {
	name             string
	takesValue       bool
	ignored, refused bool
}

// curlLong and curlShort are the options by their names and letters.
var curlLong, curlShort = options()

func options() (map[string]*option, map[byte]*option) {
	long, short := map[string]*option{}, map[byte]*option{}
	add := func(list string, o option) {
		for _, entry := range strings.Fields(list) {
			o := o
			name, letter, found := strings.Cut(entry, "/")
			o.name, long[name] = name, &o
			if found {
				short[letter[0]] = &o
			}
		}
	}
	add(readSwitches, option{})
	add(readValues, option{takesValue: true})
	add(ignoredSwitches, option{ignored: true})
	add(ignoredValues, option{takesValue: true, ignored: true})
	add(refusedSwitches, option{refused: true})
	add(refusedValues, option{takesValue: true, refused: true})
	return long, short
}

// longOption finds an option by its name without the dashes. off is true for the
// form --no-name.
func longOption(given string) (o *option, off bool, err error) {
	if name, _, found := strings.Cut(given, "="); found {
		return nil, false, fmt.Errorf("--%.40s=: only new versions of curl accept a value after =; write it as the next word", name)
	}
	name, off := strings.CutPrefix(given, "no-")
	if strings.HasPrefix(name, "expand-") {
		return nil, false, fmt.Errorf("--%.40s: variables of curl are not supported; write the value instead", given)
	}
	if curlLong[given] != nil { // noproxy is not the negation of proxy
		name, off = given, false
	}
	if o = curlLong[name]; o == nil {
		var fits []string
		for _, known := range slices.Sorted(maps.Keys(curlLong)) {
			if strings.HasPrefix(known, name) && name != "" {
				fits = append(fits, known)
			}
		}
		switch len(fits) {
		case 0:
			return nil, false, fmt.Errorf("the option --%.40s of curl is unknown: remove it if it does not change the request", given)
		case 1:
			o = curlLong[fits[0]]
		default:
			return nil, false, fmt.Errorf("--%.40s is short for several options of curl: write one of --%s", given, strings.Join(fits[:min(len(fits), 6)], ", --"))
		}
	}
	if off && (o.takesValue || slices.Contains([]string{"http1.0", "http1.1", "http2", "next"}, o.name)) {
		return nil, false, fmt.Errorf("the option --%.40s of curl is unknown", given)
	}
	return o, off, nil
}

// powerShell has parameters of Invoke-WebRequest, which Windows PowerShell runs under the
// name curl.
var powerShell = strings.Fields("-uri -method -headers -body -contenttype -usebasicparsing -websession -outfile -infile -useragent")

// arguments parses the words after curl.
func (p *curl) arguments(args []string) error {
	flags := true
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		used := 0
		next := func() (string, error) {
			if used >= len(args) {
				return "", errors.New("the last option of curl has no value")
			}
			used++
			return args[used-1], nil
		}
		var err error
		switch {
		case flags && arg == "--":
			flags = false
		case flags && slices.Contains(powerShell, strings.ToLower(arg)):
			err = fmt.Errorf("%s is a parameter of PowerShell's Invoke-WebRequest, not an option of curl: %s", arg, copyAsCurl)
		case flags && strings.HasPrefix(arg, "--"):
			var o *option
			var off bool
			if o, off, err = longOption(arg[2:]); err == nil {
				err = p.option(o, !off, next)
			}
		case flags && strings.HasPrefix(arg, "-"):
			err = p.letters(arg[1:], next)
		default:
			p.urls = append(p.urls, arg)
		}
		if err != nil {
			return err
		}
		args = args[used:]
	}
	return nil
}

// letters parses options of one letter: -sXPOST is -s -X POST.
func (p *curl) letters(letters string, next func() (string, error)) error {
	if letters == "" {
		return errors.New("the command has a single -, which curl reads as an option without a name: remove it")
	}
	for i := range len(letters) {
		o := curlShort[letters[i]]
		if o == nil {
			return fmt.Errorf("the option -%.1q of curl is unknown: remove it if it does not change the request", letters[i:])
		}
		if rest := letters[i+1:]; o.takesValue && rest != "" {
			return p.option(o, true, func() (string, error) { return rest, nil })
		}
		if err := p.option(o, true, next); err != nil || o.takesValue {
			return err
		}
	}
	return nil
}
