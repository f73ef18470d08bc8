"""Ed25519 as FORMAT.md, "Signatures", asks for it: which keys may be registered and which signatures are valid."""
import hashlib

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # RFC 8032: the field, the group order
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)  # of the curve; of minus one

def need(holds, what):
    if not holds:
        raise ValueError(what)

def point(raw):  # RFC 8032 5.1.3, y below p: as (X, Y, Z, T)
    need(len(raw) == 32, "a key or R has no 32 bytes")
    y, sign = int.from_bytes(raw, "little") & 2**255 - 1, raw[31] >> 7
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    x = x if v * x * x % P == u else x * ROOT % P
    need(y < P and v * x * x % P == u and (x or not sign), "a key or R is no canonical point")
    x = P - x if x % 2 != sign else x
    return x, y, 1, x * y % P

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(n, p):
    out = (0, 1, 1, 0)
    while n:
        out, p, n = add(out, p) if n & 1 else out, add(p, p), n >> 1
    return out

same = lambda p, q: (p[0] * q[2] - q[0] * p[2]) % P == 0 == (p[1] * q[2] - q[1] * p[2]) % P
ZERO, BASE = (0, 1, 1, 0), point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def admit(key):  # fit to be registered
    need(not same(point(key), ZERO) and same(times(L, point(key)), ZERO), "a key is unfit")

def verify(key, message, sig, what):
    need(len(sig) == 64, what)
    a, r, s = point(key), point(sig[:32]), int.from_bytes(sig[32:], "little")
    k = int.from_bytes(hashlib.sha512(sig[:32] + key + message).digest(), "little") % L
    need(s < L and not any(same(times(8, p), ZERO) for p in (a, r)), what)
    need(same(times(s, BASE), add(r, times(k, a))), what)
