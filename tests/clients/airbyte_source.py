"""Runs Airbyte's connector as it is installed; only where `login.microsoftonline.com` leads is changed.

The connector has that host in its code. Its requests are the ones it makes for everybody.
"""

import json
import os

from elsewhere import redirect_every_session

redirect_every_session(json.loads(os.environ["SAMPLE_ORG"])["authority_url"])

from source_microsoft_dataverse.run import run  # noqa: E402  The sessions have to be redirected first.

run()
