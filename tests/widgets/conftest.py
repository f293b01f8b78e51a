from tests.widgets.toy import toy

__all__ = ["toy"]
