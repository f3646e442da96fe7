"""A mail server of aiosmtpd (Debian's, so run by Debian's python3) on 127.0.0.1: prints its port, then each mail as a line of JSON.

mail_server.py FOLDER [starttls] [implicit] [auth]: FOLDER holds server.crt and server.key; with auth only user "ops" with "pass word" may send.
nobody@... does not exist, busy@... is asked to come again, and comes the second time.
"""
import asyncio
import base64
import json
import ssl
import sys

from aiosmtpd.smtp import AuthResult, LoginPassword, SMTP


class Handler:
    def __init__(self):
        self.asked = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('nobody@'):
            return '550 5.1.1 no such user'
        if address.startswith('busy@') and address not in self.asked:
            self.asked.add(address)
            return '451 4.7.1 come again'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        login = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else None
        print(json.dumps({'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'hello': session.host_name, 'tls': server.transport.get_extra_info('sslcontext') is not None,
                          'login': login, 'text': base64.b64encode(envelope.content).decode()}), flush=True)
        return '250 taken'


def authenticate(server, session, envelope, mechanism, data):
    sound = isinstance(data, LoginPassword) and (data.login, data.password) == (b'ops', b'pass word')
    return AuthResult(success=sound, handled=False, auth_data=data)


async def serve(folder, modes):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f'{folder}/server.crt', f'{folder}/server.key')
    more = {'authenticator': authenticate, 'auth_required': True, 'auth_require_tls': False} if 'auth' in modes else {}
    if 'starttls' in modes:
        more.update(tls_context=context, require_starttls=True)
    handler = Handler()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler, hostname='mail.test', **more), '127.0.0.1', 0,
                                                            ssl=context if 'implicit' in modes else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == '__main__':
    asyncio.run(serve(sys.argv[1], sys.argv[2:]))
