"""Logs in with Authlib for every variant that it reads from standard input, and prints one line for each: "ok <name>" or why not.

The library is also shown something false, which it has to refuse: another state, another nonce, another client's token.
The input is {issuer, sandbox, cards, variants}; a variant is described in cmd/sandbox/e2e/strangers_test.go.
"""
import json
import subprocess
import sys
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebEncryption, JsonWebKey, JsonWebToken
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken

given = json.load(sys.stdin)
provider = requests.get(given['issuer'] + '/.well-known/openid-configuration').json()
keys = JsonWebKey.import_key_set(requests.get(provider['jwks_uri']).json())


def browse(url):
    """The person with the card: from the authorization request to the address of the answer."""
    cards = urlsplit(given['cards']).netloc
    return subprocess.run([given['sandbox'], 'login', '--card', cards, url], check=True, capture_output=True, text=True).stdout.strip()


def refuses(what, attempt):
    try:
        attempt()
    except Exception:
        return
    raise AssertionError('takes ' + what)


def session(v):
    auth, secret = v['auth'], v['secret'] or None
    if auth == 'private_key_jwt':
        secret = JsonWebKey.import_key(v['key'])
    s = OAuth2Session(v['clientId'], secret, token_endpoint_auth_method=auth, redirect_uri=v['redirectUri'], scope='openid age_over_18',
                      code_challenge_method='S256')
    if auth == 'private_key_jwt':
        s.register_client_auth_method(PrivateKeyJWT(given['issuer'], alg=v['keyAlg']))
    return s


def pushed(v, s, url):
    """The same request, handed in beforehand (RFC 9126)."""
    form = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    if v['auth'] == 'client_secret_post':
        del form['client_id']  # the library adds it with the secret
    answer = s.request('POST', provider['pushed_authorization_request_endpoint'], data=form, withhold_token=True, auth=s.client_auth(v['auth']))
    return provider['authorization_endpoint'] + '?' + urlencode({'client_id': v['clientId'], 'request_uri': answer.json()['request_uri']})


def opened(v, text):
    """What is inside, when it was encrypted to this client."""
    if not v.get('enc'):
        return text
    return JsonWebEncryption().deserialize_compact(text, JsonWebKey.import_key(v['encKey']))['payload'].decode()


def identity(v, token, nonce, client=None):
    claims = JsonWebToken([v['alg']]).decode(opened(v, token['id_token']), keys, claims_cls=CodeIDToken, claims_options={
        'iss': {'essential': True, 'value': given['issuer']}, 'aud': {'essential': True, 'value': client or v['clientId']}},
        claims_params={'nonce': nonce, 'client_id': client or v['clientId'], 'access_token': token['access_token']})
    claims.validate(leeway=60)
    return claims


def login(v):
    s, verifier, nonce = session(v), generate_token(48), generate_token(24)
    url, state = s.create_authorization_url(provider['authorization_endpoint'], code_verifier=verifier, nonce=nonce)
    assert create_s256_code_challenge(verifier) in url
    back = browse(pushed(v, s, url) if v['par'] else url)
    refuses('another state', lambda: s.fetch_token(provider['token_endpoint'], authorization_response=back, state='another', code_verifier=verifier))
    token = s.fetch_token(provider['token_endpoint'], authorization_response=back, state=state, code_verifier=verifier)
    refuses('another nonce', lambda: identity(v, token, 'another'))
    refuses("another client's token", lambda: identity(v, token, nonce, 'another'))
    claims, answer = identity(v, token, nonce), s.get(provider['userinfo_endpoint'])
    userinfo = JsonWebToken([v['alg']]).decode(opened(v, answer.text), keys) if v.get('userinfo') else answer.json()
    assert claims['sub'] == userinfo['sub'], 'two subjects'
    assert claims.get('age_over_18') is True or userinfo.get('age_over_18') is True, 'age_over_18 is missing'
    return s, token


for v in given['variants']:
    try:
        login(v)
        print('ok', v['name'], flush=True)
    except Exception as e:  # whatever it is, the test shows it
        print(v['name'] + ':', type(e).__name__, e, getattr(e, 'stderr', ''), flush=True)
